"""Acts that passkeys signed, in a pack: every verifier comes to one verdict, record for record."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.ledger import trust as trust_file
from ringfence.reports.bundle import zipapp
from ringfence.reports.verify import verify
from ringfence.testing import acted
from ringfence.testing.tampering import edited

FOLDER = Path(__file__).parents[2] / "docs" / "auditors"
LOG = acted.acted()
PACK, TRUST = LOG.pack(), LOG.trust()
CASES = acted.cases()


def by_ringfence(pack, trust):
    outcome = verify(pack, trust)
    return 0 if outcome.ok else 1, {failure.record for failure in outcome.failures} - {None}


def test_both_accept_what_people_signed(by_script):
    assert by_ringfence(PACK, TRUST) == by_script(PACK, TRUST) == (0, set())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_refuse_and_name_the_same_record(case, by_script):
    outcome = verify(case.pack, case.trust)
    assert any(case.says in str(failure) for failure in outcome.failures if failure.record == case.record)
    assert by_script(case.pack, case.trust) == by_ringfence(case.pack, case.trust) == (1, {case.record})


def test_without_the_second_file_the_script_says_so_and_accepts_nothing(tmp_path):
    for name in ("verify_pack.py", "statements.py"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "a.pack").write_bytes(PACK)
    (tmp_path / "trust.json").write_text(trust_file.to_text(TRUST), encoding="utf-8")
    done = run(tmp_path / "verify_pack.py", tmp_path / "a.pack", tmp_path / "trust.json")
    assert done.returncode == 2
    assert "verify_acts" in done.stderr
    assert "VERIFIED" not in done.stdout
    (tmp_path / "verify_acts.py").write_bytes((FOLDER / "verify_acts.py").read_bytes())
    done = run(tmp_path / "verify_pack.py", tmp_path / "a.pack", tmp_path / "trust.json")
    assert (done.returncode, done.stdout[:9]) == (0, "VERIFIED:"), done.stderr


def test_the_second_file_is_short_and_needs_no_ringfence():
    text = (FOLDER / "verify_acts.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def run(*arguments):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_every_byte_of_the_answer_counts_in_both(by_script):
    """The blob is some 200 bytes: each one is flipped in the parsed pack and looked at by both verifiers."""
    size = len(base64.b64decode(json.loads(PACK.splitlines()[acted.ACT])["envelope"]["signatures"][0]["sig"]))
    for place in range(0, size, 3):

        def flip(lines, place=place):
            signature = lines[acted.ACT]["envelope"]["signatures"][0]
            blob = bytearray(base64.b64decode(signature["sig"]))
            blob[place] ^= 1
            signature["sig"] = base64.b64encode(bytes(blob)).decode()

        data = edited(PACK, flip)
        assert by_script(data, TRUST) == by_ringfence(data, TRUST) == (1, {acted.ACT}), place


def test_the_zipapp_comes_to_the_same(tmp_path):
    (tmp_path / "recheck.pyz").write_bytes(zipapp())
    for pack, trust, code in [(PACK, TRUST, 0), *[(case.pack, case.trust, 1) for case in CASES[::8]]]:
        (tmp_path / "a.pack").write_bytes(pack)
        (tmp_path / "trust.json").write_text(trust_file.to_text(trust), encoding="utf-8")
        done = run("-I", tmp_path / "recheck.pyz", tmp_path / "a.pack", "--trust", tmp_path / "trust.json")
        assert done.returncode == code, done.stdout + done.stderr

"""The auditors' script: alone it comes to the verdict of `ringfence verify`, record for record."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import trust as trust_file
from ringfence.reports.verify import verify
from ringfence.testing.misnumbering import numbered_cases
from ringfence.testing.tampering import cases, lab

SCRIPT = Path(__file__).parents[2] / "docs" / "auditors" / "verify_pack.py"
LOG = lab()
PACK, TRUST = LOG.pack(), LOG.trust()
CASES = [*cases(), *numbered_cases()]


def by_ringfence(pack, trust):
    try:
        outcome = verify(pack, trust)
    except MalformedInput as error:
        return error.exit_code, set()
    named = {failure.record for failure in outcome.failures} - {None}
    return 0 if outcome.ok else 1, named


def alone(*arguments):
    """Run the script in an interpreter that does not see Ringfence, in an empty environment."""
    hidden = "import sys, runpy; sys.modules['ringfence'] = None; sys.argv[0:1] = []; "
    program = hidden + "runpy.run_path(sys.argv[0], run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", program, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
    )


def test_it_is_one_short_file_without_ringfence():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_alone_it_verifies_refuses_and_says_what_it_cannot_read(tmp_path):
    good, bad, trust = tmp_path / "good.pack", tmp_path / "bad.pack", tmp_path / "trust.json"
    good.write_bytes(PACK)
    bad.write_bytes(CASES[0].pack)
    trust.write_text(trust_file.to_text(TRUST), encoding="utf-8")
    done = alone(good, trust)
    assert (done.returncode, done.stdout) == (0, "VERIFIED: 8 records, 0 failures\n"), done.stderr
    done = alone(bad, trust)
    assert done.returncode == 1
    assert "FAILED: record 4 (dataset.sealed, entry 3): its signature does not match" in done.stdout
    for arguments in ([], [good], [good, good], [trust, trust], [tmp_path / "none", trust]):
        done = alone(*arguments)
        assert done.returncode == 2
        assert "cannot be checked" in done.stderr
        assert "Traceback" not in done.stderr


def test_without_heads_it_says_what_is_not_excluded(tmp_path):
    (tmp_path / "a.pack").write_bytes(PACK)
    (tmp_path / "trust.json").write_text(trust_file.to_text(LOG.trust(heads=())), encoding="utf-8")
    assert "rebuild or rollback not excluded" in alone(tmp_path / "a.pack", tmp_path / "trust.json").stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_refuse_and_name_the_same_records(case, by_script):
    assert by_script(case.pack, case.trust) == by_ringfence(case.pack, case.trust)
    assert by_script(case.pack, case.trust)[0] == 1


@pytest.mark.parametrize("flip", [1, 32])
def test_both_judge_every_flipped_byte_alike(flip, by_script):
    for position in range(flip, len(PACK), 293):
        data = bytearray(PACK)
        data[position] ^= flip
        assert by_script(bytes(data), TRUST) == by_ringfence(bytes(data), TRUST), position


def test_both_judge_every_cut_alike(by_script):
    for size in range(0, len(PACK), 701):
        assert by_script(PACK[:size], TRUST) == by_ringfence(PACK[:size], TRUST), size


def test_both_judge_good_packs_alike(by_script):
    log = lab(seed="another")
    for sizes in range(1, 12):
        log.advance(seconds=1)
        data = log.pack(sizes=range(1, sizes))
        assert by_script(data, log.trust()) == by_ringfence(data, log.trust()) == (0, set())
        log.export_head()

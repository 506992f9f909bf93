"""The auditors' script: alone it comes to the verdict of `ringfence verify`, record for record."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import trust as trust_file
from ringfence.reports.verify import verify
from ringfence.testing.ledger import LabLog
from ringfence.testing.misformed import FORMS, misformed
from ringfence.testing.misnumbering import numbered_cases
from ringfence.testing.succeeding import new_trust, old_trust, renewed, succession_cases
from ringfence.testing.tampering import cases, edited, lab

SCRIPT = Path(__file__).parents[2] / "docs" / "auditors" / "verify_pack.py"
LOG = lab()
PACK, TRUST = LOG.pack(), LOG.trust()
SUCCESSIONS = succession_cases()
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
    beside = SCRIPT.with_name("statements.py").read_text(encoding="utf-8")
    assert len(beside.splitlines()) <= 100
    assert set(re.findall(r"^(?:import|from) (\w+)", beside, re.MULTILINE)) == {"json", "re"}


def test_without_the_file_beside_it_the_script_accepts_nothing(tmp_path):
    (tmp_path / "verify_pack.py").write_bytes(SCRIPT.read_bytes())
    (tmp_path / "good.pack").write_bytes(PACK)
    (tmp_path / "trust.json").write_text(trust_file.to_text(TRUST), encoding="utf-8")
    given = [sys.executable, "-I", *(str(tmp_path / name) for name in ("verify_pack.py", "good.pack", "trust.json"))]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "statements" in done.stderr
    (tmp_path / "statements.py").write_bytes(SCRIPT.with_name("statements.py").read_bytes())
    assert subprocess.run(given, capture_output=True, check=False).returncode == 0


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


def witnessed():
    log = lab()
    log.cosign("tower")
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    return log.pack(), json.loads(trust_file.to_text(log.trust(witnesses={"tower": "University"}, quorum=1)))


@pytest.mark.parametrize(
    "change",
    [
        lambda trust: trust["witnesses"].append(trust["witnesses"][0] | {"party": "Other"}),
        lambda trust: trust["witnesses"][0].update(party="Operator"),
        lambda trust: trust["witnesses"][0].update(party=" operator"),
        lambda trust: trust["witnesses"][0].update(party="\u043eperator"),
        lambda trust: trust["witnesses"][0].update(trusted=True),
        lambda trust: trust.update(quorum=2),
        lambda trust: trust.update(quorum=-1),
        lambda trust: trust.update(quorum=True),
        lambda trust: trust.update(witnesses=[], quorum=1),
        lambda trust: trust.update(format="urn:ringfence:trust:v1"),
        lambda trust: trust.pop("timestampAuthorities"),
        lambda trust: trust.update(policy="any"),
    ],
)
def test_both_refuse_a_trust_file_that_says_more_than_it_may(change, script, tmp_path):
    pack, trust = witnessed()
    (tmp_path / "a.pack").write_bytes(pack)
    (tmp_path / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 0
    change(trust)
    (tmp_path / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    with pytest.raises(MalformedInput):
        trust_file.parse(json.dumps(trust))
    assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 2


@pytest.mark.parametrize(
    "anchors",
    [
        {"cosignatures": {}},
        {"cosignatures": ["\u2014 a.example AAAAAAAA"] * 65},
        {"timestamps": [""]},
        {"timestamps": 1},
    ],
)
def test_both_refuse_anchors_of_another_form(anchors, by_script):
    pack, trust = witnessed()
    trusted = trust_file.parse(json.dumps(trust))
    changed = edited(pack, lambda lines: lines[-1].update(anchors))
    assert by_script(changed, trusted) == by_ringfence(changed, trusted) == (1, set())


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


@pytest.mark.parametrize("case", SUCCESSIONS, ids=lambda case: case.name)
def test_both_refuse_keys_that_were_replaced_otherwise(case, by_script):
    assert by_script(case.pack, case.trust) == by_ringfence(case.pack, case.trust)
    assert by_script(case.pack, case.trust)[0] != 0


def test_both_follow_the_logs_keys_from_an_old_trust_file(by_script):
    log = renewed("second", "third")
    pack = log.pack()
    for trust in (old_trust(log), new_trust(log), replace(log.trust(heads=[]), log_keys=log.pair("second"))):
        assert by_script(pack, trust) == by_ringfence(pack, trust) == (0, set())


@pytest.mark.parametrize("flip", [1, 32])
def test_both_judge_every_flipped_byte_of_a_succession_alike(flip, by_script):
    log = renewed()
    pack, trust = log.pack(), old_trust(log)
    at = pack.index(b'"successions":')
    for position in range(at, pack.index(b"\n"), 613):
        data = bytearray(pack)
        data[position] ^= flip
        assert by_script(bytes(data), trust)[0] == by_ringfence(bytes(data), trust)[0] != 0, position


@pytest.mark.parametrize("form", FORMS)
def test_both_refuse_a_statement_of_another_form(form, by_script):
    log = lab()
    misformed(log, FORMS[form])
    log.advance(seconds=1)
    try:
        pack = log.pack()
    except MalformedInput:
        pytest.skip("not even a hostile log of ours can write it down")
    assert by_script(pack, log.trust()) == by_ringfence(pack, log.trust())
    assert by_script(pack, log.trust())[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"scope": {}},
        {"scope": {"controls": [], "predicates": [], "more": 1}},
        {"tenantSalt": ""},
        {"tenant": "ACME"},
        {"log": ""},
        {"records": 10**9},
        {"openings": 1},
    ],
    ids=str,
)
def test_both_cannot_read_a_header_of_another_form(change, by_script):
    pack = edited(PACK, lambda lines: lines[0].update(change))
    assert by_script(pack, TRUST) == by_ringfence(pack, TRUST) == (2, set())


@pytest.mark.parametrize("name", ["heads", "quorum", "vkey"])
def test_both_refuse_a_trust_file_with_a_key_that_stands_twice(name, script, tmp_path):
    pack, trust = witnessed()
    text = json.dumps(trust).replace(f'"{name}": ', f'"{name}": 0, "{name}": ', 1)
    (tmp_path / "a.pack").write_bytes(pack)
    (tmp_path / "trust.json").write_text(text, encoding="utf-8")
    with pytest.raises(MalformedInput, match="stands twice"):
        trust_file.parse(text)
    assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 2


def test_both_take_a_kept_head_that_a_witness_signed_too_in_any_order(script, tmp_path):
    pack, trust = witnessed()
    (tmp_path / "a.pack").write_bytes(pack)
    honest = trust["heads"][-1]
    text, _, lines = honest.partition("\n\n")
    first, second = lines.splitlines()
    for signatures in ([first, second, OF_A_WITNESS], [OF_A_WITNESS, second, first]):
        trust["heads"] = [text + "\n\n" + "".join(f"{line}\n" for line in signatures)]
        (tmp_path / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
        assert verify(pack, trust_file.parse(json.dumps(trust))).ok
        assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 0
    for signatures in ([first, OF_A_WITNESS], [first, second, second], [first, second, "junk"]):
        trust["heads"] = [text + "\n\n" + "".join(f"{line}\n" for line in signatures)]
        (tmp_path / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
        with pytest.raises(MalformedInput):
            verify(pack, trust_file.parse(json.dumps(trust)))
        assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 2


OF_A_WITNESS = "\u2014 tower.example/w " + "AAAA" * 25


def test_both_refuse_a_statement_from_before_its_keys_enrolment_in_the_same_millisecond(by_script):
    log = LabLog()
    log.append(log.sign("dataset.opened", {"purpose": "training"}, by="second")[0])
    log.enrol("second", KeyRole.OPERATOR)
    pack = log.pack()
    assert by_script(pack, log.trust()) == by_ringfence(pack, log.trust()) == (1, {4})


class Renumbered(LabLog):
    """A log that numbers its tenant under another salt than the one whose tag the root signed."""

    def tenant_salt(self, tenant=None):
        return bytes(32) if len(self.entries) > 3 else super().tenant_salt(tenant)


def test_both_refuse_a_second_book(by_script, tmp_path, script, capsys):
    other = Renumbered()
    other.state("dataset.sealed", {"objects": 3})
    other.advance(seconds=1)
    pack = other.pack()
    assert by_script(pack, other.trust()) == by_ringfence(pack, other.trust()) == (1, {1, 2, 3})
    (tmp_path / "a.pack").write_bytes(old := LabLog(pins=False).pack())
    (tmp_path / "trust.json").write_text(trust_file.to_text(LabLog(pins=False).trust()), encoding="utf-8")
    assert script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")]) == 0
    assert "no enrolment here names the numbering" in capsys.readouterr().out
    assert any("no enrolment here names" in notice for notice in verify(old, LabLog(pins=False).trust()).notices)


def test_both_bound_the_time_stamps_of_a_pack(by_script):
    pack = LOG.pack(sizes=range(1, 8))
    heads = sum(b'{"head":' in line for line in pack.splitlines())
    for each, expected in (((16_384 // heads) + 1, 2), (1, None)):
        stamped = edited(
            pack,
            lambda lines, n=each: [line["head"].update(timestamps=["AAAA"] * n) for line in lines if "head" in line],
        )
        assert (by_script(stamped, TRUST)[0] == 2) is (by_ringfence(stamped, TRUST)[0] == 2) is (expected == 2)

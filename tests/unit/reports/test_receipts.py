import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import trust
from ringfence.ledger.entry import Place, tenant_tag
from ringfence.ledger.model import Trust
from ringfence.reports.model import Verdict
from ringfence.reports.receipts import verify
from ringfence.reports.verify import verify as verify_pack
from ringfence.testing import receipts
from ringfence.testing.ledger import LabLog
from ringfence.testing.program import called
from ringfence.testing.succeeding import renewed


@pytest.fixture(scope="module")
def log():
    return LabLog()


@pytest.fixture(scope="module")
def made(log):
    return receipts.issued(log)


def failures(data, trust):
    outcome = verify(data, trust)
    assert outcome.verdict is Verdict.FAILED
    assert not outcome.ok
    assert not outcome.proves
    return " / ".join(outcome.failures)


def _numbered(log, tenant, number):
    return Place(tenant_tag(log.tenant_salt(tenant), tenant), number)


@pytest.mark.parametrize("place", [None, ("other", 5), ("acme", 4), ("acme", 3)])
def test_a_segment_that_the_log_does_not_number_behind_its_key_is_refused(place):
    log = LabLog()  # the enrolment of the gateway's key is entry 3, the segment entry 4
    log.places[4] = None if place is None else _numbered(log, *place)
    made = receipts.issued(log)
    assert "does not number the segment behind the enrolment" in failures(made.data, log.trust())


def test_an_older_log_has_receipts_without_numbers():
    log = LabLog(unnumbered=4)
    assert verify(receipts.issued(log).data, log.trust()).ok


def test_a_receipt_is_verified_and_says_what_it_does_not_prove(log, made):
    outcome = verify(
        made.data, log.trust(), request=receipts.asked(2), response=b"".join(receipts.EVENTS), source="a file"
    )
    assert outcome.ok
    assert len(outcome.proves) == 3
    document = outcome.to_json()
    assert document["request"] == receipts.request(2)
    assert document["digest_basis"] == "declared"
    assert document["segment"] == 1
    assert any("these weights" in sentence for sentence in document["does_not_prove"])
    assert any("nobody checked" in notice for notice in outcome.notices)
    assert any("rebuild or rollback" in notice for notice in outcome.notices)


def test_without_a_trust_file_it_only_agrees_with_itself(made):
    outcome = verify(made.data, None)
    assert outcome.verdict is Verdict.SELF_CONSISTENT
    assert not outcome.ok


def test_bytes_that_were_not_asked_or_answered_are_told(log, made):
    outcome = verify(made.data, log.trust(), request=b"other", response=b"other")
    assert outcome.verdict is Verdict.FAILED
    assert len(outcome.failures) == 2


def test_a_receipt_of_another_installation_is_refused(made):
    assert "key" in failures(made.data, LabLog(seed="stranger").trust())


def test_another_root_did_not_enrol_the_key(log, made):
    trusted = log.trust()
    other = Trust(trusted.log, LabLog(seed="stranger").public("root"), trusted.log_keys, ())
    assert "unknown under the root" in failures(made.data, other)


def test_a_key_with_another_role_closes_no_segments():
    log = LabLog()
    found = failures(receipts.issued(log, by="second", role=KeyRole.OPERATOR).data, log.trust())
    assert "not as a gateway's" in found


def test_a_checkpoint_with_a_third_line_that_nothing_binds_is_refused(log, made):
    note = json.loads(made.data)["log"]["checkpoint"] + "\u2014 somebody AAAAAAA=\n"
    assert "no other" in failures(receipts.changed(made.data, ("log", "checkpoint"), note), log.trust())


def test_a_head_that_was_kept_and_contradicts_the_receipt_is_told(log, made):
    fork = LabLog()
    fork.enrol("gateway", KeyRole.GATEWAY)
    fork.state("dataset.sealed", {})
    heads = (fork.head(),)
    assert heads[0].checkpoint.size == len(log.entries)
    assert "rebuilt or forked" in failures(made.data, fork.trust(heads=heads))


def test_a_head_by_other_keys_in_the_trust_file_is_no_head(log, made):
    stranger = LabLog(seed="stranger")
    with pytest.raises(MalformedInput, match="not from the log"):
        verify(made.data, log.trust(heads=(stranger.head(),)))


def test_a_late_segment_and_an_erased_opening_are_said():
    log = LabLog()
    late = receipts.issued(log, issued_at=log.now - receipts.TWO_DAYS)
    outcome = verify(receipts.changed(late.data, ("opening",), None), log.trust())
    assert outcome.ok
    assert any("more than a day" in notice for notice in outcome.notices)
    assert any("erased" in notice for notice in outcome.notices)


def test_a_segment_from_the_future_is_refused():
    log = LabLog()
    assert "dated after" in failures(receipts.issued(log, issued_at=log.now + receipts.TWO_DAYS).data, log.trust())


def test_demo_data_is_called_so():
    log = LabLog(demo=True)
    outcome = verify(receipts.issued(log).data, log.trust())
    assert outcome.to_json()["demo"] is True
    assert any("demo data" in notice for notice in outcome.notices)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("log", "segment", "entry"), 3),
        (("log", "segment", "recordedAt"), "2026-11-22T01:02:03.001Z"),
        (("log", "segment", "proof"), []),
        (("log", "enrolment", "entry"), 0),
        (("log", "enrolment", "recordedAt"), "2026-11-22T01:02:02.000Z"),
        (("log", "enrolment", "proof"), []),
        (("segment", "index"), 0),
    ],
)
def test_another_place_fails(log, made, path, value):
    assert failures(receipts.changed(made.data, path, value), log.trust())


def agreed(pack, trusted, tmp_path):
    """Return whether a pack holds, once the auditors' script says the same."""
    paths = tmp_path / "pack", tmp_path / "trust"
    for path, data in zip(paths, (pack, trust.to_text(trusted).encode()), strict=True):
        path.write_bytes(data)
    script = Path(__file__).parents[3] / "docs" / "auditors" / "verify_pack.py"
    ended = subprocess.run([sys.executable, script, *paths], capture_output=True, text=True, timeout=60, check=False)
    ours = verify_pack(pack, trusted)
    assert ended.returncode == (0 if ours.ok else 1), ended.stdout + ended.stderr
    return ours.ok, " / ".join(map(str, ours.failures)) + ended.stdout


def test_a_pack_holds_segments_even_such_as_waited_for_days(tmp_path):
    log = LabLog()
    receipts.issued(log, issued_at=log.now - receipts.TWO_DAYS)
    assert agreed(log.pack(), log.trust(), tmp_path)[0]


@pytest.mark.parametrize(("by", "predicate"), [("gateway", "dataset.opened"), ("ops", "inference.segment")])
def test_in_a_pack_the_gateway_closes_segments_and_nothing_else_and_nobody_else_does(tmp_path, by, predicate):
    log = LabLog()
    log.enrol("gateway", KeyRole.GATEWAY)
    log.state(predicate, {"purpose": "x"}, by=by)
    holds, said = agreed(log.pack(), log.trust(), tmp_path)
    assert not holds
    assert "may not state this" in said


def test_the_verb_checks_a_receipt_with_the_bytes_that_were_kept(log, made, tmp_path):
    names = ("receipt", "trust", "request", "response")
    data = (made.data, trust.to_text(log.trust()).encode(), receipts.asked(2), b"".join(receipts.EVENTS))
    for name, content in zip(names, data, strict=True):
        (tmp_path / name).write_bytes(content)
    receipt, trusted, request, response = (str(tmp_path / name) for name in names)
    good = called({}, "verify", receipt, "--trust", trusted, "--request", request, "--response", response)
    assert good.returncode == 0, good.stderr
    assert "VERIFIED" in good.stdout
    assert "these weights" in good.stdout
    bad = called({}, "verify", receipt, "--trust", trusted, "--request", response, "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["failures"]
    assert called({}, "verify", receipt, "--trust", trusted, "--recompute").returncode == 2
    assert called({}, "verify", receipt).returncode == 1


def test_a_reader_with_an_old_trust_file_follows_the_logs_keys_in_a_receipt():
    log = LabLog()
    old = log.trust()
    log.replace_keys("second")
    made = receipts.issued(log)
    assert verify(made.data, old).ok
    knowing = replace(old, successions=tuple(log.successions()))
    assert verify(made.data, knowing).ok
    document = json.loads(made.data)
    del document["log"]["successions"]
    without = json.dumps(document).encode()
    assert verify(without, knowing).ok
    assert "its keys were replaced since you got your trust file" in failures(without, old)
    document["log"]["successions"] = [json.loads(e.data) for e in renewed(seed="stranger").successions()]
    assert "not by the key given" in failures(json.dumps(document).encode(), old)


def test_a_receipt_whose_head_is_by_keys_that_were_replaced_says_so():
    log = LabLog()
    made = receipts.issued(log)
    log.replace_keys("second")
    outcome = verify(made.data, replace(log.trust(), successions=tuple(log.successions())))
    assert outcome.ok
    assert any("were replaced behind size 5 (compromised)" in notice for notice in outcome.notices)
    document = json.loads(made.data)
    for wrong in ([], {}, [1]):
        document["log"]["successions"] = wrong
        with pytest.raises(MalformedInput):
            verify(json.dumps(document).encode(), log.trust())

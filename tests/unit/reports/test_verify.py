"""Every way of tampering is refused, and the record that it touches is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.model import Trust
from ringfence.reports.model import Verdict
from ringfence.reports.verify import NO_HEADS, SELF_CONSISTENT, ahead, verify
from ringfence.testing.ledger import LabLog
from ringfence.testing.misnumbering import numbered_cases
from ringfence.testing.succeeding import new_trust, old_trust, renewed, succession_cases
from ringfence.testing.tampering import cases, lab

CASES = [*cases(), *numbered_cases()]
SUCCESSIONS = succession_cases()


def test_a_pack_that_nobody_touched_is_verified(log, pack):
    outcome = verify(pack, log.trust())
    assert (outcome.verdict, outcome.failures, outcome.checked) == (Verdict.VERIFIED, (), 8)
    assert outcome.ok
    assert outcome.root == log.head().checkpoint.root
    assert outcome.status == {"controls": []}
    assert [logged.entry for logged in outcome.statements] == list(range(8))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tampering_is_refused_and_the_record_named(case):
    outcome = verify(case.pack, case.trust)
    assert outcome.verdict is Verdict.FAILED
    assert any(case.says in str(f) and f.record == case.record for f in outcome.failures), outcome.failures


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_trust_nothing_is_ever_verified(case):
    assert not verify(case.pack, None).ok


def test_without_trust_a_pack_is_self_consistent_only(pack):
    outcome = verify(pack, None)
    assert (outcome.verdict, outcome.failures, outcome.ok) == (Verdict.SELF_CONSISTENT, (), False)
    assert outcome.notices[0] == SELF_CONSISTENT


def test_a_rebuilt_log_agrees_with_itself_and_with_nobody_else(log):
    stranger = lab(seed="stranger").pack()
    assert verify(stranger, None).verdict is Verdict.SELF_CONSISTENT
    assert any("other keys" in str(failure) for failure in verify(stranger, log.trust()).failures)


def test_without_kept_heads_a_rebuild_is_not_excluded(log, pack):
    outcome = verify(pack, log.trust(heads=()))
    assert outcome.ok
    assert NO_HEADS in outcome.notices


def test_a_kept_head_says_until_where_the_log_is_anchored(log, pack):
    assert any("the 6 entries below the head" in notice for notice in verify(pack, log.trust()).notices)


def test_a_pack_made_before_a_head_was_exported_is_shorter_than_it(log, pack):
    log.advance(minutes=1)
    log.export_head()
    log.state("dataset.opened", {"purpose": "x"})
    log.export_head()
    assert any("its tail was cut" in str(failure) for failure in verify(pack, log.trust()).failures)


def test_a_head_of_the_very_size_of_the_pack_needs_no_proof(log, pack):
    assert verify(pack, log.trust(heads=[log.head()])).ok


def test_a_head_that_was_never_recorded_is_proven_on_request(log):
    kept = log.checkpoint(5)
    unproven = verify(log.pack(), log.trust(heads=[kept]))
    assert any("--head 5" in str(failure) for failure in unproven.failures)
    log.advance(seconds=1)
    assert verify(log.pack(sizes=[5]), log.trust(heads=[kept])).ok


def test_the_head_that_init_gave_out_is_always_proven(log):
    assert verify(log.pack(), log.trust(heads=[log.first_head()])).ok


def test_a_head_of_another_log_in_the_trust_file_is_bad_input(log, pack):
    foreign = LabLog(seed="stranger").head()
    with pytest.raises(MalformedInput, match="not from the log that it names"):
        verify(pack, log.trust(heads=[foreign]))


def test_a_pack_of_another_log_is_said_to_be(log, pack):
    trust = log.trust()
    other = LabLog(origin="other.example/log")
    outcome = verify(pack, Trust(other.origin, trust.root, other.log_keys, ()))
    assert any("from the log lab.example/log, but you trust other.example/log" in str(f) for f in outcome.failures)


def test_demo_packs_say_so():
    demo = lab(demo=True)
    outcome = verify(demo.pack(), demo.trust())
    assert outcome.ok
    assert any(notice.startswith("demo data") for notice in outcome.notices)


def test_what_the_log_took_in_later_is_said(log):
    reported, preview = log.report()
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    from ringfence.reports.service import compose

    outcome = verify(compose(log, log.trust(heads=()), log.tenant, reported.entry, preview), log.trust())
    assert outcome.ok
    assert any("went on for 1 entries" in notice for notice in outcome.notices)


def test_all_failures_are_listed(log):
    pack = log.pack().replace(b'"objects":3', b'"objects":4').replace(b'"purpose":"training"', b'"purpose":"trainink"')
    assert [failure.record for failure in verify(pack, log.trust()).failures] == [4, 6]


@pytest.mark.parametrize(("minutes", "told"), [(4, False), (6, True)])
def test_a_pack_that_is_dated_after_its_readers_clock_is_said_to_be(log, pack, minutes, told):
    outcome = verify(pack, log.trust())
    read = ahead(outcome, log.entries[-1][0] - timedelta(minutes=minutes))
    assert read.ok
    assert any("your clock" in notice for notice in read.notices) is told
    assert ahead(outcome, log.now) is outcome


def test_a_pack_of_the_future_cannot_be_signed_today(log):
    outcome = verify(log.pack(as_of=log.now.replace(year=2030)), log.trust())
    assert [str(f) for f in outcome.failures] == [
        "record 8 (report.exported, entry 7): it speaks of what came after it"
    ]


@pytest.mark.parametrize("case", SUCCESSIONS, ids=lambda case: case.name)
def test_keys_that_were_replaced_otherwise_are_refused(case):
    try:
        said = [str(failure) for failure in verify(case.pack, case.trust).failures]
    except MalformedInput as error:
        said = [str(error)]
    assert any(case.says in each for each in said), said


def test_a_reader_with_an_old_trust_file_follows_the_logs_keys():
    log = renewed("second", "third")
    kept = replace(new_trust(log), heads=(log.checkpoint(5).note, log.checkpoint(8).note))
    pack = log.pack(sizes=[5, 8])
    for trust in (old_trust(log), new_trust(log), kept):
        assert verify(pack, trust).failures == ()
        assert verify(pack, trust).ok
    later = replace(log.trust(heads=[]), log_keys=log.pair("second"))
    assert verify(pack, later).ok
    assert not verify(pack, replace(later, log_keys=log.pair("stranger"))).ok
    assert verify(pack, None).failures == ()

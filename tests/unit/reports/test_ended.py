"""Statements of keys that were stolen: only what another party saw before the theft counts."""

from datetime import timedelta

import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.reports.model import Verdict
from ringfence.reports.recompute import recompute
from ringfence.reports.verify import verify
from ringfence.testing.ledger import LabLog

HONEST = {"auditor": "Auditor GmbH"}
OURS = {"auditor": "operator"}


def stolen(*, reason="compromised", before=True, parties=HONEST) -> LabLog:
    """Return a log with two statements of one key from before its end; a witness saw the first, or none, by then."""
    log = LabLog(parties=parties)
    log.rules = lambda statements, *_: {
        "controls": [],
        "counted": [
            logged.entry
            for logged in statements
            if logged.envelope.statement.predicate == "dataset.opened" and logged.standing is Standing.TRUSTED
        ],
    }
    log.enrol("anna", KeyRole.OPERATOR)  # entry 3
    log.state("dataset.opened", {"purpose": "training"}, by="anna")  # entry 4
    log.advance(minutes=10)
    log.cosign("auditor", at=None if before else log.now + timedelta(days=1))
    log.advance(minutes=10)
    log.state("dataset.opened", {"purpose": "theft"}, by="anna")  # entry 5: who runs the log gave it this time
    log.advance(minutes=10)
    since = log.now
    log.advance(days=1)
    log.cosign("auditor", at=log.now)
    log.revoke("anna", at=since, reason=reason)
    log.advance(minutes=10)
    return log


def standings(outcome):
    return [logged.standing for logged in outcome.statements[4:6]]


def test_what_another_party_saw_before_the_theft_counts_and_what_is_dated_back_does_not():
    log = stolen()
    outcome = verify(log.pack(), log.trust(witnesses=HONEST))
    assert (outcome.verdict, outcome.failures) == (Verdict.VERIFIED, ())
    assert standings(outcome) == [Standing.TRUSTED, Standing.UNPROVEN]
    assert outcome.status["counted"] == [4]
    (said,) = outcome.to_json()["ended_keys"]
    assert (said["key"], said["vouched_by"]) == (log.key_id("anna"), "Auditor GmbH")
    assert (said["vouched"], said["operator_only"], said["operator_only_counts"]) == ([5], [6], False)
    (notice,) = [notice for notice in outcome.notices if "compromised since" in notice]
    assert "1 of its records existed before, by Auditor GmbH" in notice
    assert "records 6 existed before is the operator's word only, and they count for nothing" in notice
    assert recompute(outcome, log.rules).ok


@pytest.mark.parametrize(
    "log",
    [stolen(before=False), stolen(parties=OURS), stolen(parties={})],
    ids=["seen-afterwards", "operator's witness", "nobody"],
)
def test_where_nobody_else_saw_it_before_nothing_of_a_stolen_key_counts(log):
    outcome = verify(log.pack(), log.trust(witnesses=log.parties))
    assert (outcome.verdict, standings(outcome)) == (Verdict.VERIFIED, [Standing.UNPROVEN] * 2)
    assert outcome.status["counted"] == []
    assert recompute(outcome, log.rules).ok


def test_an_operator_who_colludes_is_contradicted_by_the_readers_own_trust():
    """The operator counts a witness of their own as another party, in order to count what the thief dated back."""
    log = stolen(parties={"puppet": "Honest Ltd"})
    head = log.checkpoint(6).checkpoint
    log.said.clear()
    log.now -= timedelta(days=1)
    from ringfence.ledger.anchors.cosignature import cosign
    from ringfence.ledger.model import Anchors

    line = cosign(head, log.witness_key("puppet"), log.key("puppet").sign, log.now - timedelta(minutes=15))
    log.said[6] = Anchors((line,))
    log.now += timedelta(days=1)
    outcome = verify(log.pack(), log.trust(witnesses=HONEST))
    assert outcome.status["counted"] == [4, 5]
    assert standings(outcome) == [Standing.UNPROVEN] * 2
    assert not recompute(outcome, log.rules).ok


@pytest.mark.parametrize("reason", ["superseded", "lost", "left"])
def test_of_a_key_that_nobody_else_had_the_operators_word_is_enough_and_said_to_be(reason):
    log = stolen(reason=reason)
    outcome = verify(log.pack(), log.trust(witnesses=HONEST))
    assert (outcome.verdict, standings(outcome)) == (Verdict.VERIFIED, [Standing.TRUSTED] * 2)
    (said,) = outcome.ended
    assert (said["vouched"], said["operator_only"], said["operator_only_counts"]) == ([5], [6], True)
    assert any("the operator's word only, and they count all the same" in notice for notice in outcome.notices)


def passkeys() -> LabLog:
    """Return a log in which a stolen key enrolled a passkey at a time from before the theft."""
    log = LabLog(parties=HONEST)
    log.enrol("anna", KeyRole.OPERATOR)
    log.advance(minutes=10)
    log.enrol_passkey("hers", by="anna")
    log.state("dataset.opened", {"purpose": "theft"}, by="hers")
    log.advance(minutes=10)
    since = log.now
    log.advance(hours=1)
    log.revoke("anna", at=since)
    log.state("dataset.opened", {"purpose": "theft"}, by="hers")
    return log


def test_a_passkey_that_a_stolen_key_enrolled_is_worth_what_that_key_was():
    log = passkeys()
    outcome = verify(log.pack(), log.trust(witnesses=HONEST))
    assert outcome.verdict is Verdict.VERIFIED
    assert [logged.standing for logged in outcome.statements if logged.envelope.signer == log.key_id("hers")] == [
        Standing.UNPROVEN,
        Standing.UNPROVEN,
    ]
    assert any("was enrolled by a key that is compromised" in notice for notice in outcome.notices)


def test_a_pack_that_such_a_passkey_closes_is_refused():
    log = passkeys()
    outcome = verify(log.pack(by="hers"), log.trust(witnesses=HONEST))
    assert ["its key was enrolled by one that is compromised" in str(failure) for failure in outcome.failures] == [True]

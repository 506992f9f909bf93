"""Limits of the record checks, from both sides."""

from datetime import timedelta

import pytest

from ringfence.reports.records import OLDEST, SKEW
from ringfence.reports.verify import verify

MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(("age", "holds"), [(OLDEST, True), (OLDEST + MS, False), (-SKEW, True), (-SKEW - MS, False)])
def test_a_statement_may_be_a_day_old_and_five_minutes_ahead(log, age, holds):
    log.state("dataset.opened", {"purpose": "x"}, issued_at=log.now - age)
    assert verify(log.pack(), log.trust()).ok is holds


def test_a_late_statement_may_be_older(log):
    log.state("dataset.opened", {"purpose": "x"}, issued_at=log.now - timedelta(days=9), late=True)
    assert verify(log.pack(), log.trust()).ok


def test_records_of_one_millisecond_are_fine(log):
    log.state("dataset.opened", {"purpose": "x"})
    log.state("dataset.opened", {"purpose": "y"})
    assert verify(log.pack(), log.trust()).ok


def test_an_erased_side_record_is_no_failure(log):
    at, envelope, _ = log.entries[3]
    log.entries[3] = (at, envelope, None)
    assert verify(log.pack(), log.trust()).ok


def test_a_key_that_expired_since_still_counts_for_what_it_signed(log):
    from ringfence.kernel.statement import KeyRole

    log.enrol("second", KeyRole.OPERATOR, valid_until=log.now + timedelta(hours=1))
    log.state("dataset.opened", {"purpose": "x"}, by="second")
    log.advance(hours=2)
    assert verify(log.pack(), log.trust()).ok


def test_a_key_revoked_with_a_date_in_the_past_takes_its_later_statements_along(log):
    from ringfence.kernel.statement import KeyRole

    log.enrol("second", KeyRole.OPERATOR)
    stolen = log.advance(hours=1)
    log.state("dataset.opened", {"purpose": "x"}, by="second")
    log.advance(hours=1)
    log.revoke("second", at=stolen)
    assert [f.record for f in verify(log.pack(), log.trust()).failures] == [9]


def test_other_tenants_between_the_records_are_no_gap(log):
    from ringfence.kernel.statement import KeyRole

    log.enrol("theirs", KeyRole.OPERATOR, tenant="other")
    log.state("dataset.opened", {"purpose": "x"}, by="theirs", tenant="other")
    outcome = verify(log.pack(), log.trust())
    assert outcome.ok
    assert outcome.checked == 8

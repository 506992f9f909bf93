from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.customers import register, statements
from ringfence.customers.model import Occasion
from ringfence.kernel.digest import Digest
from ringfence.obligations.choices import NONE, Selected
from ringfence.testing.customers import OTHER, OWNER, WANTED, A, B

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def fold(log):
    return register.fold(log.statements())


def test_the_register_is_what_the_statements_say(log):
    known = fold(log)
    assert [one.id for one in known.current] == [B, A]  # by name
    one = known.everybody[A]
    assert (one.name, one.reference, one.country) == ("St. Example", "C-1", "DE")
    assert one.things == ("dataset/d1", "deployment/chat", "node/n-00000001")


def test_a_change_replaces_all_and_the_earlier_contract_is_kept(log):
    log.advance(days=3)
    log.state_draft(statements.changed(A, replace(WANTED, hours={Occasion.INCIDENT: 48}), (), OWNER), by="control")
    one = fold(log).everybody[A]
    assert one.hours == {Occasion.INCIDENT: 48}
    assert one.things == ()
    assert [contract.hours[Occasion.INCIDENT] for contract in one.contracts] == [6, 48]
    assert one.contracts[1].since - one.contracts[0].since >= timedelta(days=3)


def test_who_is_removed_is_kept_and_no_longer_current(log):
    known = fold(log)
    log.state_draft(statements.removed(known.everybody[A], OWNER, "over"), by="control")
    after = fold(log)
    assert [one.id for one in after.current] == [B]
    assert after.everybody[A].removed_at


def test_what_a_person_signs_makes_no_customer(log):
    log.state_draft(statements.changed(A, OTHER, (), OWNER), by="ops")
    assert fold(log).everybody[A].name == "St. Example"


def test_a_name_that_was_erased_is_gone_and_the_id_stands_for_it(log):
    erased = register.fold(replace(one, opening=None) for one in log.statements())
    assert erased.everybody[A].name == ""
    assert erased.everybody[A].called == A


@pytest.mark.parametrize(("name", "expected"), [(A, (6, True)), (B, (4, False))])
def test_hours_are_the_contracts_or_a_proposal_that_says_so(log, name, expected):
    found = register.notice(fold(log).everybody[name].contracts[-1])
    assert (found.hours, found.agreed) == expected


def test_packs_and_questionnaires_are_kept_by_customer(log):
    log.state_draft(statements.packed(A, OWNER, Digest.of(b"r"), 3, bytes(32)), by="control")
    counts = {"questions": 3, "unmatched": 1, "withoutEvidence": 2}
    log.state_draft(statements.answered(B, counts, OWNER, {}), by="control")
    known = fold(log)
    assert [(made.customer, made.size) for made in known.packs] == [(A, 3)]
    assert [(each.customer, each.questions, each.without) for each in known.answers] == [(B, 3, 2)]


def put_in_force(at, notice, name="health"):
    return Selected(replace(NONE, id=name, notice=notice), 1, at, outdated=False)


def test_where_no_contract_names_hours_the_profile_does_and_says_so(log):
    bank, hospital = (fold(log).everybody[name].contracts[-1] for name in (B, A))
    chosen = put_in_force(NOW, {"patient_data": 180, "other": 720})
    found = register.notice(bank, chosen)
    assert (found.hours, found.agreed) == (3, False)
    assert "health" in found.basis
    assert "patient data" in found.basis
    assert register.notice(hospital, chosen) == register.notice(hospital)


def test_a_profile_never_stretches_our_proposal_and_half_an_hour_counts_as_one(log):
    bank = fold(log).everybody[B].contracts[-1]
    assert register.notice(bank, put_in_force(NOW, {"other": 720})) == register.notice(bank)
    short = register.notice(bank, put_in_force(NOW, {"outage": 30}))
    assert short.hours == 1
    assert "30 min" in short.basis


def test_every_change_of_contract_or_profile_is_kept_with_its_time(log):
    (contract,) = fold(log).everybody[B].contracts
    before, after = contract.since - timedelta(days=1), contract.since + timedelta(days=1)
    chosen = [put_in_force(before, {"other": 60}), put_in_force(after, {}, "none")]
    found = register.notices((contract,), chosen)
    assert [(at, one.hours) for at, one in found] == [(contract.since, 1), (after, 4)]

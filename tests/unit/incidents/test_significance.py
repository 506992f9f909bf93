from datetime import timedelta

import pytest

from ringfence.incidents.model import Fact, FactKind
from ringfence.incidents.significance import Verdict
from ringfence.testing.incidents import LabIncidents

NODE = "n-00000001"


@pytest.fixture
def lab():
    return LabIncidents()


def row(lab, name, code):
    return next(one for one in lab.room(name).criteria if one.code == code)


def fact(lab, kind, **more):
    return Fact(kind, lab.clock.now(), NODE, **more)


def test_failed_guesses_alone_propose_nothing(lab):
    name = lab.detect("ssh-guessing")
    assert not [one.code for one in lab.room(name).criteria if one.proposed]


def test_a_success_after_guessing_proposes_access_and_decides_nothing(lab):
    name = lab.detect("ssh-guessing-then-success")
    access = row(lab, name, "3(1)(e)")
    assert access.proposed
    assert access.verdict is Verdict.JUDGEMENT
    assert access.evidence == (lab.room(name).incident.findings[0].envelope,)
    assert not row(lab, name, "3(1)(b)").proposed
    assert lab.room(name).incident.significant is None


def test_data_read_by_whoever_came_in_proposes_exfiltration_with_the_facts(lab):
    name = lab.detect("ssh-guessing-then-success")
    lab.watch.note("acme", fact(lab, FactKind.DATA_READ, text="weights.bin", evidence=("sha256:aa",)))
    found = row(lab, name, "3(1)(b)")
    assert found.proposed
    assert found.verdict is Verdict.JUDGEMENT
    assert found.facts == (f"data-read on {NODE}: weights.bin",)
    assert found.evidence == ("sha256:aa",)
    assert row(lab, name, "7(c)").proposed
    assert row(lab, name, "3(1)(g)").facts == ("7(c) is proposed", "7(d) is proposed")


def test_data_read_without_an_access_proposes_no_exfiltration(lab):
    name = lab.detect("ssh-guessing")
    lab.watch.note("acme", fact(lab, FactKind.DATA_READ))
    assert not row(lab, name, "3(1)(b)").proposed


@pytest.mark.parametrize(
    ("measured", "code", "verdict"),
    [
        ({"minutesUnavailable": 30}, "7(a)", Verdict.NOT_MET),
        ({"minutesUnavailable": 31}, "7(a)", Verdict.MET),
        ({}, "7(a)", Verdict.UNKNOWN),
        ({"minutesLimited": 61, "usersAffected": 6, "usersTotal": 100}, "7(b)", Verdict.MET),
        ({"minutesLimited": 60, "usersAffected": 6, "usersTotal": 100}, "7(b)", Verdict.NOT_MET),
        ({"minutesLimited": 61, "usersAffected": 5, "usersTotal": 100}, "7(b)", Verdict.NOT_MET),
        ({"minutesLimited": 61, "usersAffected": 5}, "7(b)", Verdict.UNKNOWN),
        ({"minutesLimited": 61, "usersAffected": 1_000_001}, "7(b)", Verdict.MET),
        # Whichever is smaller: 5 % of 100 million would be five million.
        ({"minutesLimited": 61, "usersAffected": 1_000_001, "usersTotal": 10**8}, "7(b)", Verdict.MET),
        ({"lossEur": 500_001}, "3(1)(a)", Verdict.MET),
        ({"lossEur": 450_001}, "3(1)(a)", Verdict.UNKNOWN),
        # Whichever is lower: 5 % of nine million is 450,000.
        ({"lossEur": 450_001, "turnoverEur": 9_000_000}, "3(1)(a)", Verdict.MET),
        ({"lossEur": 450_000, "turnoverEur": 9_000_000}, "3(1)(a)", Verdict.NOT_MET),
        ({"lossEur": 500_001, "turnoverEur": 10**9}, "3(1)(a)", Verdict.MET),
        ({"occurrences": 1}, "4", Verdict.NOT_MET),
        ({"occurrences": 2}, "4", Verdict.JUDGEMENT),
    ],
)
def test_measured_values_stand_beside_thresholds(lab, measured, code, verdict):
    name = lab.detect()
    lab.triage(name, significant=False, measured=measured)
    assert row(lab, name, code).verdict is verdict


def test_an_isolation_of_a_customer_facing_node_warns_before_the_threshold_and_leaves_the_judgement(lab):
    name = lab.detect("ssh-guessing-then-success")
    lab.watch.note("acme", fact(lab, FactKind.ISOLATED, customer_facing=True))
    lab.clock.advance(timedelta(minutes=19, seconds=59))
    assert lab.room(name).warnings == ()
    lab.clock.advance(timedelta(seconds=1))
    (warning,) = lab.room(name).warnings
    assert warning.startswith("7(a)")
    assert not row(lab, name, "7(a)").proposed
    lab.clock.advance(timedelta(minutes=11))
    assert row(lab, name, "7(a)").proposed
    assert row(lab, name, "7(a)").verdict is Verdict.JUDGEMENT
    lab.watch.note("acme", fact(lab, FactKind.RELEASED))
    lab.clock.advance(timedelta(hours=9))
    assert "31 min" in row(lab, name, "7(a)").facts[0]


def test_an_isolated_node_that_serves_nobody_warns_of_nothing(lab):
    name = lab.detect()
    lab.watch.note("acme", fact(lab, FactKind.ISOLATED))
    lab.clock.advance(timedelta(hours=9))
    assert lab.room(name).warnings == ()


def test_thresholds_without_a_duration_count_users_alone(lab):
    from dataclasses import replace

    from ringfence.testing.incidents import API_PROVIDER

    lab.organisation.its_standing = replace(API_PROVIDER, types=("online_marketplace", "trust_service_provider"))
    name = lab.detect()
    lab.triage(name, significant=False, measured={"usersAffected": 6, "usersTotal": 100, "minutesUnavailable": 5})
    assert row(lab, name, "11(a)").verdict is Verdict.MET
    assert row(lab, name, "14(c)").verdict is Verdict.MET
    assert row(lab, name, "14(a)").verdict is Verdict.NOT_MET

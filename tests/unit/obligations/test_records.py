from datetime import timedelta

import pytest

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations.records import NOTHING, Records, digest_under, until
from ringfence.testing.obligations import START, Story


def story(count=5):
    told = Story()
    for number in range(count):
        told.add("dataset.verified", {"n": number}, subject=f"dataset/{number % 2}")
    return told


def test_order_and_repetition_do_not_matter():
    told = story().statements
    assert Records.of(Tenant("acme"), told[::-1] + told) == Records.of(Tenant("acme"), told)


def test_extending_is_the_same_as_starting_over():
    told = story(9).statements
    grown = Records(Tenant("acme"), demo=False)
    for logged in told:
        before = grown
        grown = grown.extended([logged])
        assert before.last == logged.entry - 1
    assert grown == Records.of(Tenant("acme"), told)
    assert grown.extended(told) == grown


def test_another_tenants_statements_are_left_out():
    records = Records.of(Tenant("other"), story().statements)
    assert records.trail("dataset.verified") == NOTHING
    assert records.last == 4


def test_statements_are_found_by_subject():
    records = Records.of(Tenant("acme"), story().statements)
    run = records.trail("dataset.verified").by_subject["dataset/1"]
    assert [s.entry for s in run] == [1, 3]
    assert digest_under(run[0], "dataset/1") == digest_under(run[1], "dataset/1")
    assert digest_under(run[0], "dataset/0") is None


def test_until_takes_the_moment_itself_in():
    run = tuple(story().statements)
    assert until(run, START) == 0
    assert until(run, run[2].recorded_at) == 3
    assert until(run, run[2].recorded_at - timedelta(milliseconds=1)) == 2


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({}, None),
        ({"standing": Standing.UNKNOWN}, "unknown"),
        ({"standing": Standing.EXPIRED}, "expired"),
        ({"standing": Standing.REVOKED}, "revoked"),
        ({"standing": Standing.NOT_YET_VALID}, "not yet valid"),
        ({"demo": True}, "demo statement"),
        ({"strength": Strength.LAB_ATTESTED}, "software only"),
        ({"strength": Strength.COUNTERSIGNED}, "calls itself countersigned"),
        ({"strength": Strength.ATTESTED, "role": KeyRole.EMERGENCY}, "calls itself attested"),
        ({"strength": Strength.COUNTERSIGNED, "role": KeyRole.CONTROL_PLANE}, "calls itself countersigned"),
        ({"strength": Strength.ATTESTED, "role": KeyRole.CONTROL_PLANE}, None),
    ],
)
def test_what_never_counts_is_set_aside_and_says_why(change, flaw):
    told = Story()
    logged = told.add("log.heartbeat", {}, **change)
    records = Records.of(told.tenant, told.statements)
    trail = records.trail("log.heartbeat")
    assert (len(trail.run), len(trail.set_aside)) == ((1, 0) if flaw is None else (0, 1))
    assert records.flaw(logged) is None if flaw is None else flaw in records.flaw(logged)


def test_demo_statements_and_software_tpms_count_in_demo_tenants():
    told = Story(demo=True)
    told.add("log.heartbeat", {}, strength=Strength.LAB_ATTESTED, role=KeyRole.CONTROL_PLANE)
    assert len(Records.of(told.tenant, told.statements, demo=True).trail("log.heartbeat").run) == 1


def test_recorded_is_the_time_of_the_newest_entry_below():
    told = story()
    told.add("log.heartbeat", {}, standing=Standing.UNKNOWN)
    records = Records.of(told.tenant, told.statements)
    kinds = tuple(records.trails)
    assert records.recorded(kinds, 3) == told.statements[2].recorded_at
    assert records.recorded(kinds, 99) == told.statements[5].recorded_at
    assert records.recorded(kinds, 0) is None

"""What is stated about backups does not contradict itself."""

from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.backups import statements
from ringfence.workloads.backups.restoring import Restored, Stated

STATED = Stated(Digest.of(b"index"), Digest.of(b"keys"))
GOOD = Restored(things=2, datasets=1, models=1, keys=1, files=3, bytes=9, nanoseconds=5_000_000_000)


def read(services, home, draft):
    envelope, _ = signed(services, next(iter(home.people.values())), draft)
    return statements.claims_of(envelope.statement, draft.predicate)


def test_a_drill_within_its_times_says_so(services, home):
    claims = read(services, home, statements.restored(TENANT, STATED, GOOD, 0, 5, 0))
    assert (claims["restored"], claims["withinRto"], claims["withinRpo"]) == (True, True, True)


@pytest.mark.parametrize(("rto", "lost"), [(4, 0), (5, 61)])
def test_a_drill_beyond_its_times_says_so(services, home, rto, lost):
    claims = read(services, home, statements.restored(TENANT, STATED, GOOD, lost, rto, 60))
    assert claims["restored"]
    assert not (claims["withinRto"] and claims["withinRpo"])


@pytest.mark.parametrize(
    "change",
    [
        {"withinRto": False},
        {"withinRpo": False},
        {"damaged": 1},
        {"keysMissing": 1},
        {"datasets": 0, "models": 0},
        {"restored": False},
        {"seconds": 6},
        {"lostSeconds": 1},
        {"index": str(Digest.of(b"other"))},
        {"seconds": -1},
        {"more": 1},
    ],
    ids=repr,
)
def test_verdicts_that_the_counts_do_not_demand_are_refused(services, home, change):
    draft = statements.restored(TENANT, STATED, GOOD, 0, 5, 0)
    with pytest.raises(MalformedInput):
        read(services, home, replace(draft, claims={**draft.claims, **change}))


def test_another_strength_subject_and_tenant_are_refused(services, home):
    draft = statements.restored(TENANT, STATED, GOOD, 0, 5, 0)
    with pytest.raises(Refused):
        read(services, home, replace(draft, strength=Strength.DECLARED))
    with pytest.raises(MalformedInput):
        read(services, home, replace(draft, subjects=(Subject("backup/other", STATED.index),)))
    with pytest.raises(MalformedInput):
        read(services, home, statements.restored(Tenant("other"), STATED, GOOD, 0, 5, 0))

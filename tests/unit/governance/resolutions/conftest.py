"""A resolution without any installation."""

from datetime import timedelta

import pytest

from ringfence.governance.resolutions.model import Head, Resolution, ResolutionId, Terms
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.voting import Rule
from ringfence.testing.clock import START

PEOPLE = tuple(PersonId(f"person-{n:012x}") for n in range(3))


@pytest.fixture
def terms():
    return Terms(
        id=ResolutionId("resolution-0123456789ab"),
        about="measures",
        rule=Rule(frozenset(PEOPLE), 2, 2),
        eligible=3,
        ends_at=START + timedelta(days=14),
        measures=Digest.of(b"measures"),
        shown=("control-status",),
        files=(),
        records=(),
        head=Head(7, "0" * 64),
        tasks_overdue=0,
    )


@pytest.fixture
def one(terms):
    return Resolution(Tenant("main"), Digest.of(b"opening"), PEOPLE[0], START, terms, {})

from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.obligations import catalog
from ringfence.obligations.choices import NONE
from ringfence.obligations.profiles.statement import check, draft
from ringfence.testing.obligations import Story

HEALTH, DOCUMENTS = (catalog.load().profiles[name] for name in ("health", "documents"))
SHOWN = Digest.of(b"difference")


def stated(wanted=None):
    wanted = wanted or draft(NONE, HEALTH, SHOWN)
    logged = Story().add(wanted.predicate, wanted.claims, strength=Strength.DOCUMENTED)
    return replace(logged.envelope.statement, subjects=wanted.subjects)


def test_it_names_the_profile_the_one_before_and_the_difference():
    statement = stated()
    assert statement.claims == {"profile": "health", "before": "none", "difference": str(SHOWN)}
    assert (statement.subjects[0].name, statement.subjects[0].digest) == ("profile/health", HEALTH.digest)
    check(statement, NONE, HEALTH, SHOWN)


def test_another_difference_than_was_shown_is_stale():
    with pytest.raises(Conflict, match="not what you were shown any more"):
        check(stated(), NONE, HEALTH, Digest.of(b"another"))


def test_so_is_another_profile_before():
    with pytest.raises(Conflict):
        check(stated(), DOCUMENTS, HEALTH, SHOWN)


def test_something_else_is_refused():
    for statement in (
        stated(draft(NONE, DOCUMENTS, SHOWN)),
        replace(stated(), claims={"profile": "health"}),
        stated(draft(NONE, replace(HEALTH, data={}), SHOWN)),
    ):
        with pytest.raises(MalformedInput, match="the profile health"):
            check(statement, NONE, HEALTH, SHOWN)

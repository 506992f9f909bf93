"""The table of acts, on both kinds of database."""

from datetime import timedelta

import pytest

from ringfence.identity.acting.model import LIFE, PreparedAct, Question
from ringfence.identity.acting.store import ActTable
from ringfence.identity.signin.model import Owner
from ringfence.kernel.commitment import commit
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.clock import START
from ringfence.testing.home import draft

pytestmark = pytest.mark.databases

OWNER = Owner(Tenant("main"), PersonId("person-00000000000a"))
ACT = PreparedAct("act-1", OWNER, "i-1", draft(details={"reason": "x"}), START + LIFE)
QUESTION = Question(b"b" * 32, b"credential", b"payload", commit({"reason": "x"}, b"s" * 32))


@pytest.fixture
def acts(database):
    table = ActTable(database)
    with database.transaction():
        table.put(ACT, now=START)
    return table


def test_an_act_comes_back(acts):
    assert acts.one("act-1") == ACT
    assert acts.one("act-2") is None
    assert acts.waiting(OWNER) == 1
    assert acts.waiting(Owner(Tenant("other"), OWNER.person)) == 0


@pytest.mark.parametrize("question", [QUESTION, Question(b"b" * 32, b"c", b"payload", None)])
def test_a_question_is_taken_once(acts, database, question):
    with database.transaction():
        acts.ask("act-1", question)
    assert acts.one("act-1").question == question
    with database.transaction():
        assert acts.take("act-1") == question
        assert acts.take("act-1") is None
        assert acts.take("act-2") is None


def test_the_last_question_counts(acts, database):
    other = Question(b"c" * 32, b"d", b"other", None)
    with database.transaction():
        acts.ask("act-1", QUESTION)
        acts.ask("act-1", other)
        assert acts.take("act-1") == other


def test_an_outcome_is_kept_once(acts, database):
    with database.transaction():
        assert acts.done("act-1", b"{}")
        assert not acts.done("act-1", b"[]")
    assert acts.one("act-1").outcome == b"{}"
    assert acts.waiting(OWNER) == 0


def test_what_ended_goes_with_the_next_one(acts, database):
    later = START + LIFE + timedelta(seconds=1)
    with database.transaction():
        acts.put(PreparedAct("act-2", OWNER, "", draft(), later + LIFE), now=later)
    assert acts.one("act-1") is None

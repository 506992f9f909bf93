"""The table of acts, on both kinds of database."""

from datetime import timedelta

import pytest

from ringfence.identity.acting.model import LIFE, SETTLING, PreparedAct, Question
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


def test_what_waits_for_one_person_comes_in_the_order_of_its_end(acts, database):
    soon = PreparedAct("act-2", OWNER, "i-2", draft(), START + LIFE / 2)
    other = PreparedAct("act-3", Owner(OWNER.tenant, PersonId("person-00000000000b")), "", draft(), START + LIFE)
    with database.transaction():
        acts.put(soon, now=START)
        acts.put(other, now=START)
    assert acts.unsigned(OWNER) == [soon, ACT]
    assert acts.unsigned(Owner(Tenant("other"), OWNER.person)) == []
    with database.transaction():
        acts.done("act-2", b"{}")
    assert acts.unsigned(OWNER) == [ACT]


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
    later = START + LIFE + SETTLING
    with database.transaction():
        acts.put(PreparedAct("act-2", OWNER, "", draft(), later + LIFE), now=later)
    assert acts.one("act-1") is None


def test_what_was_signed_stays_for_whoever_reads_what_came_of_it(acts, database):
    with database.transaction():
        acts.done("act-1", b"{}")
        acts.put(
            PreparedAct("act-2", OWNER, "", draft(), START + 3 * LIFE), now=START + 2 * LIFE - timedelta(seconds=1)
        )
    assert acts.one("act-1").outcome == b"{}"
    with database.transaction():
        acts.put(PreparedAct("act-3", OWNER, "", draft(), START + 3 * LIFE), now=START + 2 * LIFE)
    assert acts.one("act-1") is None

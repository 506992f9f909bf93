from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.identity.joining.proposal import Move, propose
from ringfence.identity.joining.scim import User
from ringfence.identity.model import PersonRecord
from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import KeyId, PersonId, Tenant

START = datetime(2026, 11, 22, tzinfo=UTC)


def person(number, role=Role.ENGINEER, *, name="", removed=False):
    identifier = PersonId(f"person-{number:012x}")
    key, ended = KeyId(f"{number:064x}"), START if removed else None
    return PersonRecord(identifier, Tenant("main"), role, name or f"P{number}", key, bytes(32), START, ended)


def user(number, role=Role.ENGINEER, *, active=True, name=""):
    return User(f"u{number}", name or f"U{number}", active, role)


def linked(*numbers):
    return {f"u{number}": person(number).id for number in numbers}


def test_joiners_are_active_users_with_a_role_whom_nobody_linked():
    found = propose([user(1), user(2, active=False), user(3, None), user(4)], [person(4)], linked(4))
    assert [each.id for each in found.joiners] == ["u1"]
    assert (found.without_role, found.leavers, found.moves) == (1, (), ())


@pytest.mark.parametrize("left", [[], [user(1, active=False)], [user(1, None)]])
def test_leavers_are_gone_ended_or_without_a_role(left):
    assert propose(left, [person(1)], linked(1)).leavers == (person(1).id,)


def test_people_whom_the_source_never_named_stay():
    found = propose([], [person(1), person(2)], linked(2))
    assert (found.leavers, found.not_in_file) == ((person(2).id,), 1)


def test_movers_get_the_role_of_the_file_and_nobody_becomes_an_owner():
    found = propose([user(1, Role.AUDITOR), user(2, Role.OWNER)], [person(1), person(2)], linked(1, 2))
    assert found.moves == (Move(person(1).id, Role.ENGINEER, Role.AUDITOR),)
    assert found.to_owner == (person(2).id,)


def test_a_namesake_is_no_joiner_and_is_not_linked():
    found = propose([user(1, name="Ada")], [person(7, name="Ada")], {})
    assert (found.joiners, found.namesakes) == ((), ((user(1, name="Ada"), person(7).id),))


def test_somebody_who_was_removed_and_is_still_linked_does_not_join_again_by_a_file():
    found = propose([user(1)], [person(1, removed=True)], linked(1))
    assert (found.joiners, found.leavers) == ((), ())


def test_a_file_that_ends_most_access_is_surprising():
    people = [person(number) for number in range(1, 9)]
    assert propose([], people, linked(*range(1, 9))).surprising
    assert not propose([user(n) for n in range(3, 9)], people, linked(*range(1, 9))).surprising
    assert not propose([], people[:2], linked(1, 2)).surprising


ROLES = st.none() | st.sampled_from(Role)


@given(
    st.dictionaries(st.integers(1, 6), st.tuples(ROLES, st.booleans())),
    st.dictionaries(st.integers(1, 6), st.tuples(st.sampled_from(Role), st.booleans())),
    st.sets(st.integers(1, 6)),
)
def test_nobody_is_touched_twice_and_only_whom_the_source_means(users, people, links):
    given_users = [user(number, role, active=active) for number, (role, active) in users.items()]
    given_people = [person(number, role, removed=removed) for number, (role, removed) in people.items()]
    found = propose(given_users, given_people, linked(*links))
    touched = [*found.leavers, *(move.person for move in found.moves), *found.to_owner]
    assert len(set(touched)) == len(touched)
    assert set(touched) <= {person(number).id for number in links}
    assert all(move.after is not Role.OWNER for move in found.moves)
    assert found.digest == propose(given_users[::-1], given_people, linked(*links)).digest


@pytest.mark.parametrize("name", ["ada lovelace", "Ada  Lovelace", "\uff21da Lovelace"])
def test_whoever_is_called_almost_like_somebody_is_no_joiner_unasked(name):
    found = propose([user(1, name=name)], [person(4, name="Ada Lovelace")], {})
    assert found.joiners == ()
    assert [(each.id, other) for each, other in found.namesakes] == [("u1", person(4).id)]

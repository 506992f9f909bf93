"""Tokens, UUIDs and properties."""

import uuid

from ringfence.exports import parts
from ringfence.exports.parts import TOKEN, control_id, identify, objective_id, prop, props, statement_id
from ringfence.obligations import catalog


def test_every_id_of_the_catalogue_is_a_token_and_stands_once():
    known = catalog.load()
    controls = [control_id(one.id) for one in known.controls]
    requirements = [objective_id(name) for name in known.requirements]
    ids = [*known.obligations, *controls, *requirements, *map(statement_id, [*known.obligations, *controls])]
    assert all(TOKEN.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert "nis2-21.2.g" in ids


def test_parentheses_are_no_token():
    assert not TOKEN.fullmatch("NIS2.Art.21(2)(g)")


def test_a_uuid_follows_from_the_names_alone():
    assert identify("a", "b") == identify("a", "b")
    assert identify("a", "b") != identify("ab")
    assert identify("a", "b") != identify("a,b")
    assert uuid.UUID(identify("a")).version == 5


def test_a_value_is_one_line_and_never_empty():
    assert prop("x", "a\n b")["value"] == "a b"
    assert [one["name"] for one in props(a_b=True, none=None, empty="", zero=0)] == ["a-b", "zero"]


def test_times_have_a_zone(facts):
    assert str(parts.moment(facts.board.as_of)).endswith("Z")
    assert parts.moment(None) is None

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.identity.joining import scim
from ringfence.identity.joining.scim import GROUP, LIST, USER, parse
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, RingfenceError


def user(number=1, **more):
    return {"schemas": [USER], "id": f"u{number}", "userName": f"user{number}"} | more


def group(name, *members):
    return {"schemas": [GROUP], "id": name, "displayName": name, "members": [{"value": each} for each in members]}


def file(*resources, **more):
    document = {"schemas": [LIST], "totalResults": len(resources), "Resources": list(resources)} | more
    return json.dumps(document).encode()


def test_users_have_the_role_that_they_or_their_group_is_given():
    found = parse(
        file(
            user(1, displayName="Ada", roles=[{"value": "ringfence-auditor"}, {"value": "printer"}]),
            user(2, name={"formatted": "Bob B"}, active=False),
            user(3),
            group("ringfence-engineer", "u3", "u9"),
            group("everybody", "u1", "u2", "u3"),
        )
    )
    assert [(u.id, u.name, u.active, u.role) for u in found] == [
        ("u1", "Ada", True, Role.AUDITOR),
        ("u2", "Bob B", False, None),
        ("u3", "user3", True, Role.ENGINEER),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schemas":[],"Resources":[]}',
        file(user(1), user(1)),
        file(user(), totalResults=2),
        file(user(id="")),
        file(user(id=7)),
        file(user(active="yes")),
        file(user(roles="auditor")),
        file(user(displayName="a\nb")),
        file(user(displayName=" a")),
        file(user(displayName="x" * 201)),
        file(user(name={"formatted": 1})),
        file(user(userName=None)),
        file({"schemas": ["urn:other"], "id": "x"}),
        file("x"),
        file(group("ringfence-auditor") | {"members": ["u1"]}),
        file(group("ringfence-auditor") | {"members": [{"value": 1}]}),
        file(user(roles=[{"value": "auditor"}]), group("ringfence-owner", "u1")),
    ],
)
def test_a_file_that_is_wrong_anywhere_is_refused_whole(data):
    with pytest.raises(MalformedInput):
        parse(data)


def test_files_are_bounded():
    with pytest.raises(MalformedInput, match="longer"):
        parse(b" " * (scim.MAX_FILE + 1))
    with pytest.raises(MalformedInput, match="more than"):
        parse(file(*(user(number) for number in range(scim.MAX_RESOURCES + 1))))


FIELDS = [*user(), "displayName", "name", "formatted", "active", "roles", "members", "value"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=12,
)
GOOD = st.sampled_from([user(1), user(2), user(3, name={}), group("ringfence-auditor", "u1"), group("x", "u2")])
NEARLY = st.builds(dict.__or__, GOOD, st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2))


@given(st.lists(GOOD | NEARLY, max_size=3) | st.lists(JSON, max_size=4))
def test_whatever_stands_in_a_file_its_users_come_out_or_one_of_our_errors(resources):
    try:
        found = parse(file(*resources))
    except RingfenceError:
        return
    assert [one.id for one in found] == [each["id"] for each in resources if USER in each["schemas"]]

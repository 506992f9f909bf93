import pytest

from ringfence.kernel import errors
from ringfence.kernel.errors import InternalError, MalformedInput, RingfenceError, by_slug

TABLE = {
    "UsageError": (2, 400, "usage"),
    "MalformedInput": (2, 422, "malformed-input"),
    "NotFound": (2, 404, "not-found"),
    "Conflict": (2, 409, "conflict"),
    "Misdirected": (2, 421, "misdirected"),
    "VerificationFailed": (1, 409, "verification-failed"),
    "Refused": (3, 403, "refused"),
    "StepUpRequired": (3, 403, "step-up-required"),
    "TooManyAttempts": (3, 429, "too-many-attempts"),
    "Unauthenticated": (3, 401, "unauthenticated"),
    "Unavailable": (4, 503, "unavailable"),
    "InternalError": (5, 500, "internal"),
}


@pytest.mark.parametrize("name", TABLE)
def test_every_branch_has_its_exit_code_and_status(name):
    kind = getattr(errors, name)
    assert (kind.exit_code, kind.http_status, kind.slug) == TABLE[name]


def test_the_table_is_complete():
    found = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert found == {*TABLE, "RingfenceError"}


@pytest.mark.parametrize("name", TABLE)
def test_a_slug_leads_back_to_its_branch(name):
    assert by_slug(TABLE[name][2]) is getattr(errors, name)


@pytest.mark.parametrize("slug", ["", "nothing", "Refused"])
def test_an_unknown_slug_is_an_internal_error(slug):
    assert by_slug(slug) is InternalError


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "bad"),
        ({"source": "f.json"}, "f.json: bad"),
        ({"source": "f.json", "line": 3, "column": 5}, "f.json:3:5: bad"),
        ({"line": 3, "column": 5}, "3:5: bad"),
    ],
)
def test_malformed_input_names_its_place(place, text):
    assert str(MalformedInput("bad", **place)) == text


def test_all_are_of_one_family():
    assert all(issubclass(getattr(errors, name), RingfenceError) for name in TABLE)

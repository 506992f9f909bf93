from datetime import UTC, datetime, timedelta

import pytest

from ringfence.identity.accounts.model import Account, scope, service_id
from ringfence.kernel.actor import Person, Role, Service
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

START = datetime(2026, 11, 22, tzinfo=UTC)


def account(**changes):
    given = {
        "id": PersonId("service-0123456789ab"),
        "tenant": Tenant("main"),
        "role": Role.SECURITY,
        "name": "collector",
        "scope": frozenset({"event.ingest"}),
        "secret_hash": bytes(32),
        "created_at": START,
        "expires_at": START + timedelta(days=1),
    }
    return Account(**given | changes)


def test_a_service_is_never_a_person_by_its_id():
    actor = account().actor
    assert isinstance(actor, Service)
    assert isinstance(actor, Person)  # it stands wherever a caller does
    assert not actor.id.startswith("person-")


@pytest.mark.parametrize(
    ("after", "revoked", "opens"),
    [
        (timedelta(), None, True),
        (timedelta(days=1) - timedelta(milliseconds=1), None, True),
        (timedelta(days=1), None, False),
        (-timedelta(milliseconds=1), None, False),
        (timedelta(hours=1), START, False),
    ],
)
def test_a_key_opens_something_from_its_making_until_its_end(after, revoked, opens):
    assert account(revoked_at=revoked).in_force(START + after) is opens


@pytest.mark.parametrize("text", ["", "person-0123456789ab", "service-0123456789AB", "service-0123456789ab0", None])
def test_other_ids_are_no_services(text):
    with pytest.raises(MalformedInput):
        service_id(text)


@pytest.mark.parametrize("actions", [[], ["x"], ["a.b", 3], "event.ingest", ["a.b"] * 33, ['a.b" || true'], None])
def test_other_scopes_are_none(actions):
    with pytest.raises(MalformedInput):
        scope(actions)


def test_a_scope_is_a_set_of_actions():
    assert scope(["event.ingest", "event.ingest"]) == {"event.ingest"}

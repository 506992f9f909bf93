"""What is stated of services, names elsewhere, roles, imports and reviews fits the published schemas."""

import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.identity.joining.scim import LIST
from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT, signed

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
OURS = [
    *("service.enrolled", "service.revoked", "person.linked", "person.unlinked", "person.role_changed"),
    *("access.imported", "access.review_decided", "access.review"),
]


@pytest.fixture
def stated(services, home):
    access, owner = services.access, home.actor()
    engineer, auditor = home.people[Role.ENGINEER].id, home.people[Role.AUDITOR].id
    issued = access.accounts.enrol(owner, "ci", Role.SECURITY, frozenset({"event.ingest"}), 1)
    access.federation.link(owner, engineer, "hr", "u1")
    access.joining.change_role(owner, auditor, Role.MANAGEMENT)
    review = access.reviews.start(owner, 1)
    wanted = decided(review.id, issued.account.id, Decision.REMOVED)
    access.reviews.decide(owner, review.id, signed(services, home.people[Role.OWNER], wanted)[0])
    access.reviews.close(owner, review.id)
    file = json.dumps({"schemas": [LIST], "Resources": []}).encode()
    access.joining.apply(owner, "hr", file, access.joining.proposal(TENANT, "hr", file).digest, many=False)
    access.federation.unlink(owner, "hr", "u1")
    return [logged.envelope.statement for logged in services.ledger.statements(TENANT)]


def test_everything_that_is_stated_fits_its_schema(stated):
    assert {statement.predicate for statement in stated} >= set(OURS)
    for statement in stated:
        schema = json.loads((SPECS / f"{statement.predicate}.schema.json").read_text(encoding="utf-8"))
        check = jsonschema.Draft202012Validator(schema)
        check.validate(dict(statement.claims))
        assert not check.is_valid(dict(statement.claims) | {"other": 1})
        for name in schema["required"]:
            assert not check.is_valid({key: value for key, value in statement.claims.items() if key != name})

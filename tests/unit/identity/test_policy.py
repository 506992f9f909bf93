import cedarpy
import pytest

from ringfence.identity.policy import Policies, shipped
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import InternalError, Refused
from ringfence.kernel.identifier import PersonId, Tenant

TENANT = Tenant("main")
OWNER = Person(PersonId("person-0123456789ab"), TENANT, Role.OWNER)


def test_the_digest_names_policies_and_schema():
    schema = "entity Person; entity Tenant; action read appliesTo { principal: Person, resource: Tenant };"
    one = Policies.parse("permit (principal, action, resource);", schema)
    assert one.digest == Policies.parse("permit (principal, action, resource);", schema).digest
    assert one.digest != Policies.parse("permit (principal, action, resource); ", schema).digest
    assert one.digest != shipped().digest


def test_policies_that_do_not_fit_are_never_used():
    with pytest.raises(InternalError):
        Policies.parse('permit (principal, action == Action::"nope", resource);', "entity Person; entity Tenant;")


def test_a_refusal_names_role_and_action():
    with pytest.raises(Refused, match=r"auditor does not permit person\.enrol"):
        shipped().authorise(Person(OWNER.id, TENANT, Role.AUDITOR), "person.enrol", tenant=TENANT)


def test_the_engine_would_permit_where_we_deny():
    """A forbid that reads a missing attribute is skipped by the engine; we take its diagnostic for a denial."""
    text = "permit (principal, action, resource); forbid (principal, action, resource) when { principal.no == 1 };"
    request = {
        "principal": {"type": "Person", "id": OWNER.id},
        "action": {"type": "Action", "id": "read"},
        "resource": {"type": "Tenant", "id": TENANT},
        "context": {},
    }
    assert cedarpy.is_authorized(request, text, []).allowed
    loose = Policies(cedarpy.PolicySet.from_str(text), None, shipped().digest)
    assert not loose.permits(OWNER, "read", tenant=TENANT, attributes={})

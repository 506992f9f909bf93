from ringfence.identity.model import PersonRecord
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.testing.clock import START


def test_a_record_acts_in_its_tenant_and_role():
    one = PersonRecord(
        PersonId("person-0123456789ab"), Tenant("t"), Role.AUDITOR, "Ada", KeyId("0" * 64), bytes(32), START
    )
    assert one.actor == Person(one.id, Tenant("t"), Role.AUDITOR)

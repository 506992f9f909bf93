from datetime import UTC, datetime

import pytest

from ringfence.identity.federation.model import Alias
from ringfence.identity.federation.statements import alias_linked, alias_unlinked
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.identifier import PersonId, Tenant

ALIAS = Alias(
    Tenant("main"), "https://id.example", "ada", PersonId("person-0123456789ab"), datetime(2026, 11, 22, tzinfo=UTC)
)
BY = Person(PersonId("person-ba9876543210"), Tenant("main"), Role.OWNER)


@pytest.mark.parametrize("state", [alias_linked, alias_unlinked])
def test_source_and_subject_stay_in_the_side_record(state):
    made = state(ALIAS, BY)
    assert made.details == {"source": "https://id.example", "subject": "ada"}
    assert made.claims == {"person": ALIAS.person, "by": BY.id}

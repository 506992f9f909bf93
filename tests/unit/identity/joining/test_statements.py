from ringfence.identity.joining.proposal import propose
from ringfence.identity.joining.statements import imported, role_changed
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant

BY = Person(PersonId("person-0123456789ab"), Tenant("main"), Role.OWNER)


def test_roles_of_a_person_stay_in_the_side_record():
    made = role_changed(PersonId("person-ba9876543210"), Role.ENGINEER, Role.AUDITOR, BY)
    assert made.details == {"before": "engineer", "after": "auditor"}
    assert "auditor" not in str(made.claims)


def test_an_import_is_counted_and_its_file_stays_in_the_side_record():
    made = imported(propose([], [], {}), Digest.of(b"file"), "directory", BY)
    assert made.details == {"source": "directory", "file": str(Digest.of(b"file"))}
    assert Digest.of(b"file").hex not in str(made.claims)
    assert made.claims["leavers"] == 0

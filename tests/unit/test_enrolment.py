import pytest

from ringfence.enrolment import NewPerson, operator_enrolled, service_enrolled
from ringfence.initialise import SERVICE_ROLES
from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import key_id, person_id
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.issuers import parse_enrolment
from ringfence.storage import keyfile
from ringfence.testing import keys
from ringfence.testing.clock import START


@pytest.fixture
def person():
    return NewPerson.make("Ada", Role.OWNER)


def accepted(draft):
    """Return what the log would read of a draft, signed by some root."""
    statement = keys.state(keys.ed25519(1), draft.predicate, draft.claims, draft.subjects[0]).statement
    return parse_enrolment(statement)


def test_a_person_is_drawn_afresh(person):
    other = NewPerson.make("Ada", Role.OWNER)
    assert person_id(person.id) == person.id
    assert len({person.id, other.id, person.token, other.token, person.seed, other.seed}) == 6
    assert key_id(person.signer.key)


def test_no_secret_is_in_the_repr(person):
    assert person.token not in repr(person)
    assert repr(person.seed) not in repr(person)


@pytest.mark.parametrize("passphrase", [None, b"secret"])
def test_the_key_file_holds_key_and_token(person, tmp_path, passphrase):
    person.write(tmp_path, passphrase)
    loaded = keyfile.load(tmp_path / f"{person.id}.key", passphrase)
    assert loaded.secrets == {"signing": person.seed, "token": person.token.encode()}


def test_the_name_of_a_person_is_in_the_side_record_only(person):
    draft = operator_enrolled(person, "file-plain", START)
    assert draft.details == {"name": "Ada", "role": "owner"}
    assert "Ada" not in repr(draft.claims) + repr(draft.subjects)
    assert accepted(draft).person == person.id


@pytest.mark.parametrize("role", SERVICE_ROLES)
def test_the_log_reads_what_is_stated_of_a_service_key(home, role):
    opened = keyfile.load(home.path / "keys" / "service.json", None)
    draft = service_enrolled(opened, role, START)
    assert accepted(draft).role is role
    assert ("mlDsa44PublicKey" in draft.claims) is (role is KeyRole.LEDGER)

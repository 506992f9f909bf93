from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.enrolment import Known, NewPerson, enrolled_again, enrolled_anew, operator_enrolled, service_enrolled
from ringfence.initialise import SERVICE_ROLES
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import key_id, person_id
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.issuers import parse_enrolment
from ringfence.storage import keyfile
from ringfence.testing import keys
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT, signed
from ringfence.testing.tenancy import OTHER, root_of


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


@pytest.fixture
def sent(services, home):
    """What an honest server sends of the service keys."""
    return services.access.tenants.to_enrol(home.actor())


@pytest.fixture
def known(services, home):
    root = root_of(home).signer.public_key
    return Known(root, services.home.log, TENANT, services.clock.now())


def test_the_root_signs_again_what_it_signed_before(sent, known):
    again = enrolled_again(sent, known)
    claims = [dict(envelope.statement.claims) for envelope in sent]
    assert len({each.pop("tenantTag") for each in claims}) == 1  # the root names the book of the first tenant
    assert [draft.claims for draft in again] == claims  # and what it signs for another one does not


def made_up(services, home, person):
    """Enrolments that a dishonest server might send in place of the control plane's, by what is wrong."""
    now, mine = services.clock.now(), root_of(home)
    eve = keys.public(keys.ed25519(66))
    control = enrolled_anew(eve, KeyRole.CONTROL_PLANE, "file-plain", None, now)
    operator = operator_enrolled(person, "file-plain", now)
    return {
        "signed by somebody else": signed(services, person, control),
        "an operator": signed(services, mine, operator),
        "another tenant's": signed(services, mine, control, tenant=OTHER),
        "another statement": signed(services, mine, replace(control, predicate="key.elsewhere")),
        "another algorithm": signed(services, mine, changed(control, algorithm="rsa")),
        "for ever": signed(services, mine, changed(control, validUntil="2999-01-01T00:00:00.000Z")),
        "over": signed(services, mine, changed(control, validUntil=control.claims["validFrom"])),
        "another key": signed(services, mine, changed(control, publicKey=operator.claims["publicKey"])),
        "a person's": signed(services, mine, changed(control, person=person.id)),
    }


def changed(draft, **claims):
    return replace(draft, claims={**draft.claims, **claims})


MADE_UP = [
    "signed by somebody else",
    "an operator",
    "another tenant's",
    "another statement",
    "another algorithm",
    "for ever",
    "over",
    "another key",
    "a person's",
]


@pytest.mark.parametrize("what", MADE_UP)
def test_the_root_signs_nothing_that_a_server_makes_up(services, home, person, sent, known, what):
    cases = made_up(services, home, person)
    assert list(cases) == MADE_UP
    role = cases[what][0].statement.claims["role"]
    honest = [one for one in sent if one.statement.claims["role"] != role]
    with pytest.raises(VerificationFailed, match="the root signs nothing of what the server sent"):
        enrolled_again([*honest, cases[what][0]], known)


def test_the_root_signs_for_one_key_of_each_service_in_force(sent, known):
    for wrong in (sent[1:], [*sent, sent[0]], []):
        with pytest.raises(VerificationFailed, match="one key of each service"):
            enrolled_again(wrong, known)
    for other in (replace(known, log="elsewhere.example/log"), replace(known, at=known.at + timedelta(days=366))):
        with pytest.raises(VerificationFailed):
            enrolled_again(sent, other)

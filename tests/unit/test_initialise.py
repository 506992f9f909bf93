import pytest

from ringfence.enrolment import NewPerson
from ringfence.initialise import enrol_gateway, initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import Refused, UsageError
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint, trust
from ringfence.ledger.model import Standing
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import LOG, TENANT


def names(folder):
    return [path.name for path in folder.iterdir()]


def init(path, clock, **more):
    people = more.pop("people", [NewPerson.make("Ada", Role.OWNER)])
    return initialise(path, log=LOG, tenant=TENANT, people=people, demo=False, clock=clock, **more)


def test_what_an_outsider_holds_fits_the_log(tmp_path, clock):
    done = init(tmp_path / "home", clock, trust_to=tmp_path / "trust.json")
    held = trust.parse((tmp_path / "trust.json").read_bytes())
    assert held == done.trust
    (head,) = held.heads
    assert checkpoint.open_note(head, held.log_keys, held.log) == done.head


def test_every_key_is_enrolled_by_the_root(services, home, clock):
    issuers = services.ledger.issuers(TENANT)
    assert len(issuers.enrolments) == 4 + len(Role)
    assert issuers.disregarded == ()
    for key in (services.outbox.signer.key, services.journal.signer.key, home.people[Role.AUDITOR].signer.key):
        assert issuers.at(key, clock.now())[0] is Standing.TRUSTED


def gateway_standing(services, clock):
    key = key_id_of(Ed25519Signer.from_seed(services.home.gateway_keys(None).secret("gateway")).public_key)
    return services.ledger.issuers(TENANT).at(key, clock.now())


def test_the_gateways_key_lies_apart_and_has_its_own_role(services, clock):
    standing, issuer = gateway_standing(services, clock)
    assert (standing, issuer.role) == (Standing.TRUSTED, KeyRole.GATEWAY)
    assert "gateway" not in services.home.service_keys(None).secrets
    assert enrol_gateway(services, None, services.home.root_path) is False


def test_a_home_from_before_the_gateway_gets_its_key_once(services, clock):
    services.home.gateway_path.unlink()
    with pytest.raises(Refused, match="--root-key"):
        enrol_gateway(services, None, services.home.path / "elsewhere.json")
    keyfile.create(services.home.path / "other.json", {"root": bytes(32)}, None)
    with pytest.raises(Refused, match="another installation"):
        enrol_gateway(services, None, services.home.path / "other.json")
    assert not services.home.gateway_path.exists()
    assert enrol_gateway(services, None, services.home.root_path) is True
    assert gateway_standing(services, clock)[0] is Standing.TRUSTED
    assert enrol_gateway(services, None, services.home.root_path) is False
    assert services.ledger.issuers(TENANT).disregarded == ()


def test_a_gateways_key_that_was_made_and_not_enrolled_is_enrolled(services, clock):
    services.home.gateway_path.unlink()
    keyfile.create(services.home.gateway_path, {"gateway": bytes(range(32))}, None)
    assert gateway_standing(services, clock)[0] is Standing.UNKNOWN
    assert enrol_gateway(services, None, services.home.root_path) is True
    assert gateway_standing(services, clock)[0] is Standing.TRUSTED


def test_no_name_is_in_the_log(services):
    for logged in services.ledger.statements(TENANT):
        assert b"A owner" not in logged.envelope.payload


def test_the_root_key_can_be_kept_elsewhere(tmp_path, clock):
    init(tmp_path / "home", clock, root_to=tmp_path / "root.json")
    assert not (tmp_path / "home" / "keys" / "root.json").exists()
    assert len(keyfile.load(tmp_path / "root.json", None).secret("root")) == 32


@pytest.mark.parametrize("which", ["root_to", "trust_to"])
def test_a_destination_that_exists_leaves_everything_as_it_was(tmp_path, clock, which):
    (tmp_path / "there").write_text("mine")
    with pytest.raises(UsageError):
        init(tmp_path / "home", clock, **{"root_to": tmp_path / "root.json", which: tmp_path / "there"})
    assert names(tmp_path) == ["there"]
    assert (tmp_path / "there").read_text() == "mine"


def test_whatever_fails_leaves_nothing_behind(tmp_path, clock):
    class Stop(Exception):
        pass

    class Failing(type(clock)):
        calls = 0

        def now(self):
            Failing.calls += 1
            if Failing.calls == 4:
                raise Stop
            return super().now()

    (tmp_path / "empty").mkdir()
    with pytest.raises(Stop):
        init(tmp_path / "empty", Failing())
    assert names(tmp_path) == ["empty"]
    assert names(tmp_path / "empty") == []


def test_private_things_are_private(home):
    for file in (home.path / "keys").iterdir():
        assert file.stat().st_mode & 0o077 == 0
    for folder in (home.path, home.path / "keys", home.path / "operators", home.path / "journal"):
        assert folder.stat().st_mode & 0o077 == 0


def test_no_secret_is_in_the_repr(tmp_path, clock):
    person = NewPerson.make("Ada", Role.OWNER)
    shown = repr(init(tmp_path / "home", clock, people=[person]))
    assert person.token not in shown
    assert repr(person.seed) not in shown

"""From a terminal: a passkey is let sign by the key in the file, and an act of a verb is signed in the browser."""

from dataclasses import dataclass

import pytest

from ringfence.frontends.client import Client
from ringfence.identity.signin.service import owner_of
from ringfence.incidents import acts
from ringfence.incidents.model import IncidentId
from ringfence.kernel import drafts
from ringfence.kernel.actor import RECOGNISED, Caller
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.obligations.forms import drafting, shelf
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.filled import filled
from ringfence.testing.home import TENANT, make
from ringfence.testing.signin import BROWSER, SITE, answer_of, enrol


@pytest.fixture
def home(tmp_path):
    """An installation of now: the terminal signs by the real clock."""
    return make(tmp_path / "now")


@pytest.fixture
def services(home):
    with home.services() as opened:
        yield opened


@pytest.fixture
def key(services, home):
    made = Authenticator(SITE.origin)
    enrol(services.signin, made, owner_of(home.actor()), SITE)
    return made


@dataclass(slots=True)
class AtTheBrowser(Client):
    """A client whose person signs in the browser whenever it looks whether that was done."""

    sign: object = None

    def get(self, path, **parameters):
        if path.startswith("/api/v1/acts/"):
            self.sign(path.rpartition("/")[2])
        return Client.get(self, path, **parameters)


def passkey_of(client):
    (found,) = client.get("/api/v1/passkeys")["passkeys"]
    return found


def let_sign(client):
    path = f"/api/v1/passkeys/{passkey_of(client)['passkey']}/enrolment"
    return client.state(drafts.from_json(client.get(path)), path=path)


def declared(services):
    return acts.declared(IncidentId("i-00000001"), services.clock.now(), "", "seen something odd")


def test_a_verb_waits_for_the_browser_and_returns_what_came_of_it(services, home, key, capsys):
    def sign(act):
        person, desk = home.actor(), services.acting.desk
        (passkey,) = desk.signers(person)
        options = desk.ask(person, act, passkey.id, browser=BROWSER, site=SITE)
        desk.sign(Caller(person, RECOGNISED), act, answer_of(key, options), browser=BROWSER)

    settings = home.settings(sign_with="passkey", url="http://localhost:8400")
    confirmed = services.signin.confirm_terminal(owner_of(home.actor()))
    with home.http(services) as http:
        http.headers["x-ringfence-confirmation"] = confirmed
        client = AtTheBrowser(http, settings, sign=sign)
        assert passkey_of(client)["signs"] is False
        let_sign(client)
        services.ledger.integrate()
        assert passkey_of(client)["signs"] is True
        answer = client.state(declared(services), path="/api/v1/incidents")
    assert answer["incident"] == "i-00000001"
    assert "http://localhost:8400/sign/act-" in capsys.readouterr().err
    (logged,) = services.ledger.statements(TENANT, ("incident.opened",))
    assert logged.issuer.algorithm == "webauthn-es256"


def test_a_form_of_a_terminal_waits_for_the_browser_too(services, home, key):
    def sign(act):
        person, desk = home.actor(), services.acting.desk
        options = desk.ask(person, act, desk.signers(person)[0].id, browser=BROWSER, site=SITE)
        desk.sign(Caller(person, RECOGNISED), act, answer_of(key, options), browser=BROWSER)

    day = services.clock.now().date()
    wanted = drafting.draft(shelf.form("asset.classified"), filled("asset.classified", day), TENANT, day)
    with home.http(services) as http:
        http.headers["x-ringfence-confirmation"] = services.signin.confirm_terminal(owner_of(home.actor()))
        client = AtTheBrowser(http, home.settings(sign_with="passkey", url="http://localhost:8400"), sign=sign)
        let_sign(client)
        services.ledger.integrate()
        answer = client.state(wanted, path="/api/v1/forms/asset.classified")
    assert answer["type"] == "asset.classified"
    (logged,) = services.ledger.statements(TENANT, ("asset.classified",))
    assert logged.issuer.algorithm == "webauthn-es256"
    assert logged.envelope.statement.issuance.strength.text == "documented"


def test_without_the_passkeys_confirmation_a_token_lets_nothing_sign(services, home, key):  # noqa: ARG001
    with home.http(services) as http, pytest.raises(RingfenceError, match="confirmed by your passkey"):
        let_sign(Client(http, home.settings()))


def test_without_a_console_nothing_can_be_signed_there(services, home):
    with home.http(services) as http, pytest.raises(Unavailable, match="ringfence up"):
        Client(http, home.settings(sign_with="passkey")).state(declared(services), path="/api/v1/incidents")

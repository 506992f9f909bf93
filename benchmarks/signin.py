"""Signing in: what a passkey costs the server, what a passphrase costs, and whether a stranger can tell by the time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio.from_thread import start_blocking_portal
from httpx import Client
from measurement import Row, timed
from pyotp import TOTP

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.frontends.client import InProcessTransport
from ringfence.frontends.cookies import CSRF_HEADER, csrf_of
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.totp import written
from ringfence.initialise import initialise
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import Unauthenticated
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.server import create_app
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.testing.authenticator import Authenticator

ORIGIN = "http://localhost:8400"
HERE = {"origin": ORIGIN}
TENANT = Tenant("main")
REPEATS = 60


@contextmanager
def opened() -> Iterator[tuple[Services, NewPerson, Client]]:
    """Open an installation, and a browser at its entrance."""
    with TemporaryDirectory() as place:
        home, person = Path(place) / "home", NewPerson.make("Bench", Role.OWNER)
        initialise(home, log=LogOrigin("localhost/bench"), tenant=TENANT, people=[person], demo=False)
        with open_services(Settings(home=home)) as services, start_blocking_portal() as portal:
            transport = InProcessTransport(create_app(services), portal)
            with Client(transport=transport, base_url=ORIGIN, headers=HERE) as browser:
                yield services, person, browser


def measure() -> list[Row]:
    """Sign in again and again; guess at a person who is there, and at one who is not."""
    with opened() as (services, person, browser):
        key = enrolled(services, person, browser)
        passkey = [signed_in(browser, key) for _ in range(REPEATS)]
        slow = services.signin.codes.hasher
        hashing = [timed(lambda: slow.hash("a passphrase of some length")) for _ in range(20)]
        owner = Owner(TENANT, person.id)
        secret = services.signin.codes.begin_totp(owner, "a passphrase of some length")
        app = TOTP(written(secret).replace(" ", ""))
        services.signin.codes.confirm_totp(owner, app.at(services.clock.now()))
        known, unknown = guesses(services, person.id, "person-ffffffffffff")
    return [
        Row(
            "sign-in with a passkey, server time of both requests",
            "< 300 ms",
            passkey,
            limit=300.0,
            note="question, answer and session through the whole app with its database; the signature of a software "
            "authenticator is made between the two and not counted",
        ),
        Row("argon2id, 46 MiB, one pass", "printed", hashing, note="per passphrase or recovery code, two at a time"),
        Row(
            "a wrong passphrase for somebody who is there",
            "printed",
            known,
            peer="for nobody",
            theirs=unknown,
            note="the ratio is what a stranger could learn from the time; the same number of hashes is a test",
        ),
    ]


def enrolled(services: Services, person: NewPerson, browser: Client) -> Authenticator:
    """Come by a link and enrol a software passkey."""
    key = Authenticator(ORIGIN)
    link = services.identity.issue_link(Person(person.id, TENANT, Role.OWNER))
    browser.get("/login", params={"token": link})
    ours = {CSRF_HEADER: csrf_of(browser.cookies["ringfence_session"])}
    made = key.create(browser.post("/signin/passkeys/ask", headers=ours).json())
    assert browser.post("/signin/passkeys", json=made, headers=ours).status_code == 201
    return key


def signed_in(browser: Client, key: Authenticator) -> float:
    """Return the milliseconds that the server took for both requests."""
    found = []
    took = timed(lambda: found.append(browser.post("/login/ask").json()))
    answer = key.get(found[0])
    return took + timed(lambda: found.append(browser.post("/login/passkey", json=answer).raise_for_status()))


def guesses(services: Services, *people: str) -> list[list[float]]:
    """Guess at each of them in turn, from ever new places, and forget the attempts again."""
    times: list[list[float]] = [[] for _ in people]
    for number in range(REPEATS):
        for person, found in zip(people, times, strict=True):
            found.append(timed(partial(guess, services, person, f"192.0.2.{number}")))
            services.signin.codes.guard.right(person=person)
    return times


def guess(services: Services, person: str, place: str) -> None:
    """Be wrong once."""
    with suppress(Unauthenticated):
        services.signin.codes.sign_in(person, "not the passphrase", "000000", place=place)

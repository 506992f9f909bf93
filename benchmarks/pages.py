"""The console and the status over HTTP with 100,000 statements, once the server has read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from anyio.from_thread import start_blocking_portal
from ledger import TENANT, observation, sequence
from measurement import Row, timed

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.frontends.client import InProcessTransport
from ringfence.initialise import initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import LogOrigin
from ringfence.server import create_app
from ringfence.services import Services
from ringfence.settings import Settings

STATEMENTS = 100_000
GROUP = 1000
REPEATS = 20
PAGES = {
    "Today": "/",
    "Evidence, 40 rows": "/evidence",
    "one record": f"/evidence/{STATEMENTS}",
    "search by subject": "/evidence?subject=head/5",
    "search by all parts": "/evidence?subject=head/&actor=control-plane&strength=observed&standing=trusted&demo=no",
    "search that finds nothing": "/evidence?standing=untrusted&demo=yes",
    "Heads": "/heads",
    "Sources": "/sources",
    "Keys": "/keys",
    "Obligations": "/obligations",
    "Obligations, one act": "/obligations?act=2024/2690&standing=undetermined",
    "one provision": "/obligations/nis2-21.2.g",
    "one control": "/controls/LOG/LOG-06",
    "Frameworks": "/frameworks",
    "one framework": "/frameworks/iso_27001_2022",
    "Threats": "/threats",
    "Proof": "/proof",
    "Approvals": "/approvals",
    "status as JSON": "/api/v1/status",
}


@contextmanager
def filled() -> Iterator[tuple[Services, NewPerson]]:
    """Open an installation that has recorded all of the statements."""
    with TemporaryDirectory() as place:
        home, person = Path(place) / "home", NewPerson.make("Bench", Role.OWNER)
        initialise(home, log=LogOrigin("localhost/bench"), tenant=TENANT, people=[person], demo=False)
        with open_services(Settings(home=home)) as services:
            for start in range(0, STATEMENTS, GROUP):
                sequence(services, [observation(services, number + 1) for number in range(start, start + GROUP)])
                services.ledger.integrate()
            services.explorer.turn()
            yield services, person


def measure() -> list[Row]:
    """Ask for each page again and again."""
    with filled() as (services, person), start_blocking_portal() as portal:
        first = timed(lambda: services.status.board(TENANT))
        transport = InProcessTransport(create_app(services), portal)
        headers = {"authorization": f"Bearer {person.token}"}
        with httpx.Client(transport=transport, base_url="http://bench", headers=headers) as client:
            times = {
                name: [timed(lambda path=path: fetch(client, path)) for _ in range(REPEATS)]
                for name, path in PAGES.items()
            }
    rows = [Row(f"{name}, 100,000 statements", "< 100 ms", found, limit=100.0) for name, found in times.items()]
    return [*rows, Row("reading 100,000 statements at start", "printed", [first], note="in the background of `up`")]


def fetch(client: httpx.Client, path: str) -> None:
    """Ask for one page; it must be there."""
    assert client.get(path).status_code == 200

"""Two `ringfence up` on one PostgreSQL database: one runs, the other stands by and takes over; never two logs."""

import shutil
import signal
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest

from ringfence.gateway import worker
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Unavailable
from ringfence.testing.appending import reconcile
from ringfence.testing.program import called, started

SOAK = [pytest.mark.soak, pytest.mark.timeout(3600)]
KINDS = pytest.mark.parametrize(
    ("rounds", "copied"), [(1, True), pytest.param(1, False, marks=SOAK), pytest.param(20, True, marks=SOAK)]
)


class Up:
    """One `ringfence up`, and what it said."""

    def __init__(self, given):
        self.given = given
        self.child = started(given)
        self.said = ""
        self.until("stands by", "/login?token=")

    def until(self, *words):
        """Read what it says up to a line with one of these words."""
        line = ""
        while not any(word in line for word in words):
            line = self.child.stderr.readline()  # ends with the child
            assert line, self.said
            self.said += line
        return line

    @property
    def stands_by(self):
        return "/login?token=" not in self.said

    def runs(self):
        """Wait until it serves; return its address."""
        self.until("Ctrl-C")
        line = next(line for line in self.said.splitlines() if "/login?token=" in line)
        return line.split()[1].partition("/login")[0].replace("//localhost:", "//127.0.0.1:")

    def kill(self):
        self.child.kill()
        self.child.communicate()


@contextmanager
def ended():
    """End every one that is still there."""
    made = []
    try:
        yield made
    finally:
        for up in made:
            if up.child.poll() is None:
                up.child.send_signal(signal.SIGTERM)
        for up in made:
            up.child.communicate(timeout=60)
        for home in {up.given["RINGFENCE_HOME"] for up in made}:
            place = worker.Place(Path(home) / "gateway", Path(home) / "gateway.log", 0)
            for gateway in worker.running(place):  # of one that was killed: it outlives it
                worker.end(gateway, lambda pid=gateway, place=place: pid in worker.running(place))


def acknowledged(address, home, number):
    """Have statements recorded and published; return the acknowledgements as a client keeps them."""
    lines = []
    headers = {"authorization": f"Bearer {home.people[Role.OWNER].token}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30) as client:
        for _ in range(number):
            answer = client.post("/api/v1/records/log.heartbeat").raise_for_status().json()["statement"]
            lines.append(f"{answer['envelope']} {answer['entry']}\n")
    return "".join(lines)


def refuses(waiting, *, copied):
    """Check that the one that stands by says so: to a browser, to a program, to a load balancer, to a terminal."""
    address = waiting.said.split()[2].rstrip(":").replace("//localhost:", "//127.0.0.1:")
    says = "this one stands by: `ringfence up` runs this installation at"
    page = httpx.get(f"{address}/findings", headers={"accept": "text/html"}, trust_env=False)
    assert (page.status_code, says in unescape(page.text)) == (503, True)
    problem = httpx.post(f"{address}/api/v1/records/log.heartbeat", trust_env=False)
    assert (problem.status_code, says in problem.json()["detail"]) == (503, True)
    assert httpx.get(f"{address}/healthz", trust_env=False).json() == {"status": "stands by"}
    if copied:
        done = called(waiting.given, "status")
        assert done.returncode == Unavailable.exit_code
        assert "`ringfence up` runs this installation at" in done.stderr


@pytest.mark.parametrize("database_kind", ["postgresql"])
@KINDS
def test_the_second_stands_by_and_takes_over_when_the_first_is_killed(home_now, tmp_path, rounds, copied):
    first = home_now.environment()
    second = first
    if copied:
        shutil.copytree(home_now.path, tmp_path / "copy")
        second = {**first, "RINGFENCE_HOME": str(tmp_path / "copy")}
    held = ""
    with ended() as ups:
        running = Up(first)
        ups.append(running)
        address = running.runs()
        for number in range(rounds):
            waiting = Up(first if number % 2 else second)
            ups.append(waiting)
            assert waiting.stands_by
            refuses(waiting, copied=waiting.given is not first)
            held += acknowledged(address, home_now, 2)
            running.kill()
            waiting.until("takes over")
            address, running = waiting.runs(), waiting
            held += acknowledged(address, home_now, 2)
    with home_now.services() as services:
        assert reconcile(services, held) == 4 * rounds

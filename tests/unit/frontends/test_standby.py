import asyncio
import socket
import threading
from html import unescape

import httpx
import pytest

from ringfence.frontends.standby import answering, sentence, wait_for_duty
from ringfence.kernel.errors import Unavailable
from ringfence.testing.clock import FakeClock


class Free:
    """A place that is taken by another one for so many looks, of which the second finds the database away."""

    def __init__(self, looks):
        self.looks = looks
        self.seen = threading.Event()
        self.go_on = threading.Event()

    def take(self):
        self.looks -= 1
        if self.looks == 1:
            self.seen.set()
            self.go_on.wait()
            raise Unavailable("the database server cannot be reached")
        return self.looks < 0


@pytest.fixture
def door():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        yield opened


def test_a_place_that_is_free_is_taken_without_a_word(door, capsys):
    assert not wait_for_duty(Free(0), door, lambda: "", FakeClock())
    assert capsys.readouterr().err == ""


def test_it_answers_until_it_runs_and_leaves_the_door_open(door, capsys):
    place, took = Free(3), []
    waiting = threading.Thread(
        target=lambda: took.append(wait_for_duty(place, door, lambda: "one:/srv/home", FakeClock()))
    )
    waiting.start()
    place.seen.wait()
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    answer = httpx.get(f"{address}/api/v1/me", trust_env=False)
    place.go_on.set()
    waiting.join()
    assert answer.status_code == 503
    assert answer.json()["detail"] == sentence("one:/srv/home")
    assert took == [True]
    said = capsys.readouterr().err
    assert said.startswith(f"stands by     http://localhost:{door.getsockname()[1]}: this one stands by")
    assert "takes over" in said
    door.listen()  # it is still ours


def asked(app, path, **headers):
    async def main():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://standby") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(main())


def test_every_address_says_who_runs():
    app = answering(lambda: sentence("one:/srv/home"), FakeClock())
    for path in ("/", "/api/v1/statements", "/login", "/openapi.json"):
        answer = asked(app, path)
        assert (answer.status_code, answer.json()["detail"]) == (503, sentence("one:/srv/home"))
    page = asked(app, "/", accept="text/html")
    assert page.status_code == 503
    assert sentence("one:/srv/home") in unescape(page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert asked(app, "/healthz").json() == {"status": "stands by"}


def test_while_the_database_is_away_it_says_that():
    def who():
        raise Unavailable("the database server cannot be reached")

    detail = asked(answering(who, FakeClock()), "/").json()["detail"]
    assert detail == "this one stands by, and who runs is not known now: the database server cannot be reached"

"""The page of key releases: what is leased and denied, and that device and place never look alike."""

from dataclasses import replace

import pytest
from fastapi import FastAPI

from ringfence.attestation.model import Claim, Level
from ringfence.frontends import http, page
from ringfence.frontends.page import Pages
from ringfence.kernel.errors import Refused
from ringfence.keyrelease import api, console
from ringfence.keyrelease.model import PlaceKind
from ringfence.testing.console import OpenDoor, fetch
from ringfence.testing.counting import plain
from ringfence.testing.keyrelease import ANNA, TENANT, WISH, World
from ringfence.testing.ledger import LabLog


class Shelf:
    """A console over a world, whose statements are in a made-up log."""

    def __init__(self):
        self.world = World()
        self.service = self.world.service()
        self.log = LabLog(tenant=TENANT)
        self.taken = 0

    def page(self, tenant, *, limit, predicates):
        for draft in self.world.stated[self.taken :]:
            self.log.state_draft(draft, by="control")
        self.taken = len(self.world.stated)
        return self.log.statements(tenant, predicates)[::-1][:limit]

    def get(self, path="/releases", **headers):
        made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        made.state.door = OpenDoor(TENANT)
        pages = Pages(self.world.clock)
        made.state.pages = pages
        http.install(made)
        page.install(made)
        made.include_router(api.router(self.service), prefix="/api/v1")
        made.include_router(console.router(self.service, pages, self))
        return fetch(made, path, **headers)

    def text(self):
        answer = self.get(accept="text/html")
        assert answer.status_code == 200, answer.text
        assert "<script>alert" not in answer.text
        assert "style=" not in answer.text
        return plain(answer.text)


@pytest.fixture
def shelf():
    return Shelf()


def denied(shelf, **changes):
    with pytest.raises(Refused):
        shelf.service.release(ANNA, replace(WISH, **changes))


def test_an_empty_page_says_what_to_do(shelf):
    text = shelf.text()
    assert "No key is leased" in text
    assert "ringfence release allow" in text
    assert "No evidence was judged yet" in text


def test_a_lease_shows_what_the_device_shows_apart_from_where_it_is_said_to_stand(shelf):
    shelf.world.allow(places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.DECLARED}))
    shelf.service.release(ANNA, replace(WISH, place="DE"))
    text = shelf.text()
    assert "1 key leased now" in text
    assert "a device of a maker signed it" in text
    assert "“DE” <em>by the word of who asked</em>" in text
    assert "nobody checked" in text
    assert "by the provider's register" not in text.replace("&#39;", "'")


def test_a_software_tpm_is_marked_wherever_it_shows(shelf):
    shelf.world.demo = True
    shelf.world.allow(software_tpm=True)
    shelf.world.nodes["alpha"].device.software = True
    shelf.service.release(ANNA, WISH)
    text = shelf.text()
    assert "lab-attested" in text
    assert "A program plays this TPM" in text


def test_denials_say_why_and_hostile_words_stay_words(shelf):
    shelf.world.nodes["alpha"].device.levels[Claim.BOOT] = Level.CONTRAINDICATED
    denied(shelf)
    shelf.world.node("<script>alert(1)</script>").device = None
    denied(shelf, node="<script>alert(1)</script>")
    text = shelf.text()
    assert "2 denials recorded lately" in text
    assert "the evidence does not show all that is demanded" in text
    assert "boot: it is contraindicated" in text
    assert "the node gives no evidence" in text
    assert "does not hold" in text


def test_the_page_says_what_it_does_not_show(shelf):
    text = shelf.text()
    assert "it cannot recall a key" in text
    assert "no quote attests a place" in text


def test_the_line_for_the_terminal_says_the_same(shelf):
    shelf.service.release(ANNA, WISH)
    shelf.world.nodes["alpha"].device = None
    denied(shelf)
    found = shelf.get("/api/v1/releases").json()
    assert [one["state"] for one in found["leases"]] == ["live"]
    assert found["leases"][0]["seconds_left"] == 900
    assert found["denials"][0]["sentences"] == ["the node gives no evidence of what it runs"]

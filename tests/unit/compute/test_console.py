from datetime import timedelta

import pytest
from fastapi import FastAPI

from ringfence.compute import api, console
from ringfence.frontends import http, page
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.testing.console import OpenDoor, fetch
from ringfence.testing.counting import plain
from ringfence.testing.ledger import LabLog
from ringfence.testing.nodes import BERT, TENANT, World
from ringfence.testing.sandboxes import CLOSED, OPEN

HOSTILE = "<script>alert(1)</script>"


class Shelf:
    """A console over a world, whose statements are in a made-up log."""

    def __init__(self):
        self.world = World()
        self.compute = self.world.compute()
        self.log = LabLog(tenant=TENANT)
        self.taken = 0

    def statements(self, tenant, predicates=None, *, at=None):
        for _, draft in self.world.stated[self.taken :]:
            self.log.state_draft(draft, by="control")
        self.taken = len(self.world.stated)
        return self.log.statements(tenant, predicates, at=at)

    def get(self, path, **headers):
        made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        made.state.door = OpenDoor(TENANT)
        pages = Pages(self.world.clock)
        made.state.pages = pages
        http.install(made)
        page.install(made)
        made.include_router(api.router(self.compute), prefix="/api/v1")
        made.include_router(console.router(self.compute, pages, self, Live(self.log)))
        return fetch(made, path, **headers)

    def text(self, path):
        answer = self.get(path, accept="text/html")
        assert answer.status_code == 200, answer.text
        assert "<script>alert" not in answer.text
        assert "style=" not in answer.text
        return plain(answer.text)


@pytest.fixture
def shelf():
    return Shelf()


class TestList:
    def test_an_empty_one_says_how_to_begin(self, shelf):
        text = shelf.text("/nodes")
        assert "No node runs" in text
        assert "ringfence node start alpha --class namespace" in text

    def test_those_that_are_cut_off_come_first_and_are_never_green(self, shelf):
        shelf.world.ready(shelf.compute, "alpha")
        held = shelf.world.ready(shelf.compute, "beta")
        shelf.compute.quarantine(TENANT, held.id, reason="tried", finding="f-1")
        text = shelf.text("/nodes")
        assert "1 of 2 nodes ready, 1 cut off" in text
        assert text.index(">beta</a>") < text.index(">alpha</a>")
        assert 'class="mark not-satisfied"' in text
        assert "quarantine.confirmed" in text
        assert "root on the node cannot undo it" in text

    def test_one_that_failed_or_ended_is_not_gone_without_a_word(self, shelf):
        shelf.world.ready(shelf.compute, "alpha")
        shelf.compute.stop(BERT, "alpha")
        shelf.world.provider.broken["create"] = Unavailable("bubblewrap is missing")
        shelf.world.ready(shelf.compute, "beta")
        text = shelf.text("/nodes")
        assert "bubblewrap is missing" in text
        assert "Ended within a day" in text
        shelf.world.clock.advance(timedelta(days=1, seconds=1))
        assert "Ended within a day" not in shelf.text("/nodes")

    def test_another_tenant_sees_nothing(self, shelf):
        shelf.world.ready(shelf.compute)
        assert shelf.compute.all("other") == []

    def test_a_full_one_stays_small(self, shelf):
        for i in range(64):
            shelf.world.ready(shelf.compute, f"n{i}")
        assert len(shelf.get("/nodes").content) < 100_000


class TestNode:
    def test_one_that_was_never_cut_off_says_how(self, shelf):
        shelf.world.ready(shelf.compute)
        text = shelf.text("/nodes/alpha")
        assert "Never cut off" in text
        assert "ringfence node quarantine alpha" in text
        assert "node.started" in text

    def test_shows_the_chain_from_the_finding_to_the_proof(self, shelf):
        node = shelf.world.ready(shelf.compute)
        shelf.compute.quarantine(TENANT, node.id, reason=HOSTILE, finding="f-1", triggered_at=shelf.world.clock.now())
        text = shelf.text("/nodes/alpha")
        for part in ("f-1", "quarantine.requested", "forensics.collected", "quarantine.confirmed", "/evidence/"):
            assert part in text
        assert "&lt;script&gt;" in text
        assert "peer-to-node" in text
        assert "--forensic" in text

    def test_shows_who_asked_and_what_the_second_person_types(self, shelf):
        node = shelf.world.ready(shelf.compute)
        shelf.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        assert "--reason &#39;looked at it" in shelf.text("/nodes/alpha")
        request = shelf.world.request(shelf.compute, node)
        text = shelf.text("/nodes/alpha")
        assert f"ringfence node release alpha --approve {request.digest}" in text
        shelf.compute.releasing.approve(BERT, "alpha", shelf.world.approval(node, request.digest), None)
        text = shelf.text("/nodes/alpha")
        assert "--approve" not in text
        assert "Its last quarantine" in text

    def test_a_release_by_young_credentials_is_said_to_be_the_bootstrap(self, shelf):
        world, compute = shelf.world, shelf.compute
        node = world.ready(compute)
        for age, said in ((timedelta(days=2), False), (timedelta(hours=1), True)):
            world.credential_age, world.established = age, 0
            compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
            request = world.request(compute, node)
            compute.releasing.approve(BERT, "alpha", world.approval(node, request.digest), None)
            assert ("bootstrap: a credential" in shelf.get("/nodes/alpha").text) is said

    def test_a_cut_that_does_not_hold_is_said_aloud(self, shelf):
        node = shelf.world.ready(shelf.compute)
        shelf.world.provider.probes = (*CLOSED, OPEN[0])
        shelf.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        text = shelf.text("/nodes/alpha")
        assert "This node is not shown to be cut off: open: peer-to-node" in text
        assert "quarantine.failed" in text

    def test_one_that_failed_says_why(self, shelf):
        shelf.world.provider.broken["create"] = Unavailable(f"bubblewrap is missing {HOSTILE}")
        shelf.world.ready(shelf.compute)
        assert "bubblewrap is missing &lt;script&gt;" in shelf.text("/nodes/alpha")

    @pytest.mark.parametrize("name", ["none", "%3Cscript%3E", "a" * 33])
    def test_one_that_is_not_there(self, shelf, name):
        answer = shelf.get(f"/nodes/{name}", accept="text/html")
        assert answer.status_code in {404, 422}
        assert "<script>alert" not in answer.text


class TestApi:
    def test_reads(self, shelf):
        node = shelf.world.ready(shelf.compute)
        shelf.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        assert [offer["class"] for offer in shelf.get("/api/v1/offers").json()["offers"]] == [
            "namespace",
            "vm",
            "measured-vm",
            "own",
        ]
        (listed,) = shelf.get("/api/v1/nodes").json()["nodes"]
        assert (listed["name"], listed["containment"]) == ("alpha", "quarantined")
        one = shelf.get("/api/v1/nodes/alpha").json()
        assert one["held"]["probes"][0]["path"] == "peer-to-node"
        assert Digest.parse(one["subject"]) == shelf.world.row(node).subject
        assert shelf.get("/api/v1/nodes/none").status_code == 404


class TestRelease:
    @pytest.fixture
    def prepared(self):
        return []

    @pytest.fixture
    def pages(self, shelf, prepared):
        def prepare(_person, draft, place):
            prepared.append((draft, place))
            return "/sign/act-1"

        return console.NodePages(shelf.compute, Pages(shelf.world.clock), shelf, Live(shelf.log), prepare)

    @pytest.fixture
    def node(self, shelf):
        node = shelf.world.ready(shelf.compute)
        shelf.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        return node

    @pytest.mark.usefixtures("node")
    def test_the_reason_that_was_typed_is_signed(self, pages, prepared):
        pages.release(BERT, "alpha", "", "cleaned")
        ((draft, place),) = prepared
        assert (draft.predicate, draft.details["reason"], place) == ("quarantine.release_requested", "cleaned", "alpha")

    def test_a_reason_never_turns_into_an_agreement(self, shelf, pages, prepared, node):
        """Somebody asked while the reason was typed: what is signed is what the page said, and the words come back."""
        request = shelf.world.request(shelf.compute, node)
        with pytest.raises(Conflict, match=r"somebody asked meanwhile.*you wrote: cleaned"):
            pages.release(BERT, "alpha", "", "cleaned")
        assert prepared == []
        pages.release(BERT, "alpha", str(request.digest), "")
        ((draft, _),) = prepared
        assert draft.predicate == "quarantine.release_approved"

    @pytest.mark.usefixtures("node")
    def test_an_agreement_is_with_the_request_that_was_seen(self, pages, prepared):
        with pytest.raises(Conflict, match="waits no more"):
            pages.release(BERT, "alpha", f"sha256:{'0' * 64}", "")
        assert prepared == []

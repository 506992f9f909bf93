import base64
import json
from collections import Counter
from datetime import timedelta

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from ringfence.frontends.page import Pages
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Subject
from ringfence.ledger import console
from ringfence.ledger.api import shown
from ringfence.ledger.console import Evidence, Streams
from ringfence.ledger.explorer.console import PER_PAGE
from ringfence.testing.console import LabConsole, OpenDoor, app, fetch, sample
from ringfence.testing.counting import plain
from ringfence.testing.ledger import LabLog

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def lab():
    return sample()


@pytest.fixture
def made(lab) -> FastAPI:
    return app(lab)


def evidence(lab):
    return Evidence(lab, Pages(lab))


class TestList:
    def test_shows_the_newest_first_with_its_denominator(self, made):
        text = plain(fetch(made, "/evidence").text)
        assert "14 of 14 statements of this tenant" in text
        assert text.index(">log.heartbeat</a>") < text.index(">key.enrolled</a>")

    def test_filter_stands_in_the_address(self, made):
        text = plain(fetch(made, "/evidence?predicate=dataset.sealed").text)
        assert "2 of 2 statements of type dataset.sealed" in text
        assert ">log.heartbeat</a>" not in text
        assert "ringfence ledger list --predicate dataset.sealed" in text

    @pytest.mark.parametrize("query", ["predicate=%3Cscript%3E", "before=-1", "before=x", "as_of=never"])
    def test_malformed_addresses_are_refused(self, made, query):
        answer = fetch(made, f"/evidence?{query}", accept="text/html")
        assert answer.status_code == 422
        assert "<script>" not in answer.text

    def test_pages_lead_to_older_ones_without_a_gap(self, lab, made):
        for _ in range(PER_PAGE):
            lab.log.state("log.heartbeat", {"sources": 1}, by="control")
        first = fetch(made, "/evidence")
        assert len(first.content) < 100_000
        assert 'href="/evidence?before=14"' in first.text
        older = fetch(made, "/evidence?before=14").text
        assert "entry 13" in older
        assert "ringfence ledger list --before 14" in older

    def test_past_shows_what_was_there_and_is_not_live(self, lab, made):
        at = (lab.now() - timedelta(days=5)).isoformat().replace("+00:00", "Z")
        text = fetch(made, f"/evidence?as_of={at}").text
        assert ">log.heartbeat</a>" not in text
        assert ">dataset.sealed</a>" in text
        assert "sse-connect" not in text
        assert "sse-connect" in fetch(made, "/evidence").text

    def test_another_tenants_statements_are_not_shown(self, made):
        made.state.door = OpenDoor(Tenant("other"))
        assert "none of this tenant" in fetch(made, "/evidence").text
        for path in ("", "/proof.json", "/envelope.json", "/statement.tlog-proof"):
            assert fetch(made, f"/evidence/3{path}").status_code == 404


class TestRecord:
    def test_names_issuer_custody_and_who_could_have_made_it_up(self, made):
        text = fetch(made, "/evidence/3").text
        for words in ("chest scans 2026", "file-plain", "Whoever holds this operator key", "1 of this issuer"):
            assert words in text

    def test_hostile_words_stay_words(self, lab, made):
        subject = Subject(HOSTILE, Digest.of(b"x"))
        logged = lab.log.state(
            "dataset.sealed", {HOSTILE: HOSTILE, "list": [HOSTILE]}, subjects=(subject,), details={"name": HOSTILE}
        )
        for path in ("/evidence", f"/evidence/{logged.entry}", "/"):
            text = fetch(made, path).text
            assert "<script>alert" not in text
            assert "<img" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in fetch(made, f"/evidence/{logged.entry}").text
        assert "<script>alert" not in evidence(lab).events(console.exhibit.row(logged, ()))

    def test_of_an_untrusted_key_says_that_it_counts_for_nothing(self, lab, made):
        logged = lab.log.state("dataset.sealed", {}, by="stranger")
        text = fetch(made, f"/evidence/{logged.entry}").text
        assert "This statement counts for nothing" in text
        assert "Anybody: the root never enrolled" in text

    @pytest.mark.parametrize("number", ["99", "-1", "x", "9007199254740993"])
    def test_of_no_entry_is_refused(self, made, number):
        assert fetch(made, f"/evidence/{number}").status_code in {404, 422}


class TestDownloads:
    def test_envelope_is_byte_for_byte_the_one_that_was_signed(self, lab, made):
        answer = fetch(made, "/evidence/3/envelope.json")
        assert answer.content == lab.log.entries[3][1].data
        assert answer.headers["content-disposition"] == 'attachment; filename="entry-3.json"'

    def test_proof_material_is_json_that_nobody_keeps(self, lab, made):
        answer = fetch(made, "/evidence/3/proof.json")
        assert base64.b64decode(json.loads(answer.content)["envelope"]) == lab.log.entries[3][1].data
        assert answer.headers["cache-control"] == "no-store"

    def test_tlog_proof_starts_with_its_format(self, made):
        assert fetch(made, "/evidence/3/statement.tlog-proof").text.startswith("c2sp.org/tlog-proof@v1\nextra ")


class Unpublished(LabConsole):
    """A log whose newest checkpoint does not cover its newest entry yet."""

    def head(self):
        return self.log.checkpoint(3)


def test_an_entry_without_a_published_checkpoint_has_no_proof_yet(lab):
    answer = fetch(app(Unpublished(lab.log)), "/evidence/3/proof.json")
    assert answer.status_code == 503
    assert "no published checkpoint covers entry 3 yet" in answer.json()["detail"]


class TestStream:
    def first(self, evidence, count, after=11, predicate=None):
        async def take():
            events = evidence.stream(Tenant("acme"), after, predicate)
            found = [await anext(events) for _ in range(count)]
            opened = evidence.streams.open.total()
            await events.aclose()
            return found, opened

        with start_blocking_portal() as portal:
            return portal.call(take)

    def test_tells_of_what_came_after_oldest_first(self, lab):
        streams = evidence(lab)
        (hello, one, two, beat), opened = self.first(streams, 4)
        assert (hello, beat) == ("retry: 2000\n\n", ": still here\n\n")
        assert one.startswith("id: 12\nevent: entry\ndata: <tr")
        assert "event: announce\ndata: New: entry 12, dataset.verified\n\n" in one
        assert two.startswith("id: 13\n")
        assert (opened, streams.streams.open.total()) == (1, 0)

    def test_keeps_to_the_filter(self, lab):
        (_, one), _ = self.first(evidence(lab), 2, after=0, predicate=PredicateName("log.heartbeat"))
        assert one.startswith("id: 13\n")

    def test_every_line_of_an_event_is_data(self, lab):
        (_, one), _ = self.first(evidence(lab), 2)
        assert all(line.split(":")[0] in {"id", "event", "data", ""} for line in one.split("\n"))

    def test_ends_before_it_tells_whoever_may_not_read_any_more(self, lab):
        async def told():
            events = evidence(lab).stream(Tenant("acme"), 11, None, lambda: False)
            return [await anext(events), await anext(events, None)]

        with start_blocking_portal() as portal:
            assert portal.call(told) == ["retry: 2000\n\n", None]

    def test_too_many_are_refused(self):
        acme, other = Tenant("acme"), Tenant("other")
        Streams(Counter({acme: console.MAX_SHARE - 1})).require_room(acme)
        taken = Streams(Counter({acme: console.MAX_SHARE}))
        taken.require_room(other)  # no tenant takes the places of the others
        with pytest.raises(Unavailable, match="live already"):
            taken.require_room(acme)
        full = Counter({Tenant(f"t{number}"): 1 for number in range(console.MAX_STREAMS)})
        with pytest.raises(Unavailable, match="live already"):
            Streams(full).require_room(acme)


def test_the_record_says_on_whose_word_it_is_older_than_the_end_of_its_key():
    log = LabLog(parties={"auditor": "Auditor GmbH"})
    log.enrol("anna", KeyRole.OPERATOR)
    seen = log.state("dataset.opened", {"purpose": "x"}, by="anna").entry
    log.cosign("auditor")
    log.advance(minutes=1)
    unseen = log.state("dataset.opened", {"purpose": "x"}, by="anna").entry
    log.advance(minutes=1)
    log.revoke("anna")
    made = app(LabConsole(log))
    proven, unproven = (fetch(made, f"/evidence/{entry}").text for entry in (seen, unseen))
    assert "by Auditor GmbH" in proven
    assert "counts for nothing" not in proven
    assert "nobody but the operator says that the statement existed before" in unproven
    assert "by the operator&#39;s word only" in unproven or "by the operator's word only" in unproven
    assert "Somebody else had this key since" in unproven
    shown_as = [shown(one)["existed"] for one in log.statements() if one.entry in (seen, unseen)]
    assert [one["party"] for one in shown_as] == ["Auditor GmbH", "operator"]

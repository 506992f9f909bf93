import re
from datetime import timedelta

import pytest

from ringfence import today
from ringfence.frontends.waiting import Item, Kind
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Subject
from ringfence.ledger.custody import ExportedHead
from ringfence.obligations import catalog, domains
from ringfence.obligations.results import Standing, State
from ringfence.testing.console import LabConsole, app, fetch, sample
from ringfence.testing.counting import plain

ACME = Tenant("acme")


@pytest.fixture
def lab():
    return sample()


@pytest.fixture
def board(lab):
    return lab.board(ACME, lab.now())


def shown(lab, path="/"):
    return plain(fetch(app(lab), path).text)


class TestDecisions:
    def test_what_needs_a_person_comes_first(self, board):
        states = [result.verdict.state for result in today.worst_first(board.controls)]
        assert states == sorted(states, key=["not-satisfied", "pending", "satisfied", "upcoming"].index)

    def test_turned_red_is_red_now_and_was_not(self, lab, board):
        before = lab.board(ACME, lab.now() - timedelta(hours=24))
        turned = today.turned_red(board, before)
        assert [(turn.result.control.id, turn.before) for turn in turned] == [("DAT-01", State.SATISFIED)]
        assert today.turned_red(board, board) == []

    def test_changing_is_what_holds_now_and_ends_soon(self, board):
        assert [result.control.id for _, result in today.changing(board)] == ["LOG-06", "DAT-03"]
        assert today.changing(board, timedelta(0)) == []
        later = [change for change, _ in today.changing(board, timedelta(days=400))]
        assert later == sorted(later)
        assert len(later) == 4

    def test_newest_is_the_youngest_statement_a_result_rests_on(self, board):
        found = {result.control.id: today.newest(result) for result in board.controls}
        assert found["LOG-06"] == board.as_of - timedelta(minutes=4)

    @pytest.mark.parametrize(("covered", "open_"), [((), 14), ((5,), 9), ((5, 14), 0), ((20,), 0)])
    def test_entries_beyond_the_largest_head_are_operator_only(self, board, covered, open_):
        heads = [ExportedHead(size, board.as_of) for size in covered]
        assert today.anchor(board, heads, 14).operator_only == open_

    def test_provisions_that_only_define_are_no_obligations(self, board):
        counted = today.standings(board)
        assert Standing.BASIS not in counted
        assert sum(counted.values()) == sum(duty.standing is not Standing.BASIS for duty in board.duties)


class TestWaiting:
    def section(self, lab, path="/"):
        return re.search(r'aria-labelledby="waiting".*?</section>', shown(lab, path), re.DOTALL)[0]

    def test_what_waits_stands_with_its_deadline_its_place_and_its_command(self, lab):
        due = lab.now() + timedelta(hours=5)
        lab.items += [
            Item(Kind.UNDECIDED, "Is it significant?", "/incidents/i-00000001", due, "ringfence incident triage X"),
            Item(Kind.CUT_OFF, "node web waits for two people", "/nodes/web"),
        ]
        text = self.section(lab)
        assert text.index("Is it significant?") < text.index("node web waits")
        assert 'href="/incidents/i-00000001"' in text
        assert f'data-countdown="{due.isoformat()}"' in text
        assert "5 h left" in text
        assert 'data-copy="ringfence incident triage X"' in text
        assert "cut off" in text

    def test_it_comes_before_everything_else(self, lab):
        text = shown(lab)
        assert text.index('id="waiting"') < text.index('<dl class="stats">') < text.index('id="turned"')

    def test_lateness_is_said_in_words(self, lab):
        lab.items += [Item(Kind.CLOCK, "early warning", "/", lab.now() - timedelta(minutes=90))]
        text = self.section(lab)
        assert "1 h late" in text
        assert 'class="mark not-satisfied"' in text

    def test_where_nothing_waits_the_page_says_what_that_means(self, lab):
        assert "no clock runs, no act waits, and every alert was sent" in self.section(lab)

    def test_the_past_shows_nothing_that_waits_now(self, lab):
        lab.items += [Item(Kind.CUT_OFF, "node web", "/nodes/web")]
        text = self.section(lab, "/?as_of=2026-11-20T00:00")
        assert "node web" not in text
        assert "for now only" in text

    def test_what_an_attacker_wrote_stays_text_and_short(self, lab):
        lab.items += [Item(Kind.QUEUED, "<script>alert(1)</script>" + "x" * 10_000, "/findings/f-1")]
        text = self.section(lab)
        assert "<script>" not in text
        assert len(text) < 2_000

    def test_a_storm_stays_small_and_says_how_much_more_there_is(self, lab):
        lab.items += [
            Item(Kind.QUEUED, f"{number} " + "y" * 400, f"/findings/{number}", lab.now(), "ringfence findings show f-1")
            for number in range(1_000)
        ]
        text = shown(lab)
        assert len(text.encode()) < 100_000
        assert "980 more things" in text


class TestInbox:
    """What waits for the caller's own signature is a line that leads to it."""

    def test_it_is_counted(self, lab):
        lab.mine.append(Item(Kind.TO_SIGN, "a release", "/nodes/web"))
        assert "1 thing waits for your own signature" in " ".join(shown(lab).split())
        lab.mine.append(Item(Kind.TO_SIGN, "a review", "/access/reviews/review-1"))
        assert "2 things wait for your own signature" in " ".join(shown(lab).split())

    def test_nothing_is_said_where_nothing_waits_or_in_the_past(self, lab):
        assert "your own signature" not in shown(lab)
        lab.mine.append(Item(Kind.TO_SIGN, "a release", "/nodes/web"))
        assert "your own signature" not in shown(lab, "/?as_of=2026-11-20T00:00")


class TestPage:
    def test_counts_stand_with_their_denominator(self, lab):
        assert "3 of 105 controls satisfied" in shown(lab)

    def test_every_control_stands_with_state_reason_and_next_step(self, lab, board):
        pages = {domain: shown(lab, f"/controls/{domain}") for domain in domains.NAMES}
        for result in board.controls:
            text = pages[domains.of(result.control.id)]
            row = re.search(rf'<tr id="{result.control.id}".*?</tr>', text, re.DOTALL)[0]
            assert f'class="mark {result.verdict.state.value}"' in row
            assert (f'data-copy="{result.next_step}"' in row) is (result.next_step is not None)
            for entry in result.entries:
                assert f'href="/evidence/{entry}"' in row

    def test_what_turned_red_is_named_with_its_cause(self, lab):
        section = re.search(r'aria-labelledby="turned".*?</section>', shown(lab), re.DOTALL)[0]
        assert 'href="/controls/DAT/DAT-01"' in section
        assert "the newest verification of these sealed bytes failed" in section

    def test_a_quiet_day_says_so_and_with_what_it_compared(self, lab):
        lab.log.advance(days=4)
        assert "Nothing. Compared with" in shown(lab)

    def test_says_how_many_entries_rest_on_the_operator_alone(self, lab):
        assert "3 entries of 14 are operator-only" in shown(lab)
        assert "whoever holds its keys could rebuild it unseen" in shown(LabConsole())

    def test_past_is_not_live(self, lab):
        at = (lab.now() - timedelta(days=1)).isoformat().replace("+00:00", "Z")
        text = shown(lab, f"/?as_of={at}")
        assert "sse-connect" not in text
        assert "ringfence status --as-of 2026-11-20T17:21:03.000Z" in text
        assert 'sse-connect="/console/stream?after=13"' in shown(lab)

    def test_demo_evidence_is_striped_with_the_word(self):
        text = shown(sample(demo=True))
        assert text.count('class="demo"') == text.count("<tr id=") > 5
        assert text.count("demo-word") > 10
        assert "demo-word" not in shown(sample())

    def test_stays_small_with_many_datasets(self, lab):
        for number in range(200):
            name = f"dataset/{number:08x}"
            lab.log.state("dataset.sealed", {"objects": 1}, subjects=(Subject(name, Digest.of(name.encode())),))
        assert len(shown(lab).encode()) < 100_000

    def test_who_may_not_see_the_status_does_not(self, lab):
        assert fetch(app(lab, refused=frozenset({"status.read"})), "/").status_code == 403


class TestDomains:
    def row(self, text, domain):
        return re.search(rf'<tr data-row><td><a href="/controls/{domain}[^"]*">.*?</tr>', text, re.DOTALL)[0]

    def test_a_tally_counts_every_control_once(self, board):
        found = today.tallies(board)
        assert [tally.domain for tally in found] == list(domains.NAMES)
        for state in State:
            assert sum(tally.states[state] for tally in found) == board.count(state)
        assert sum(tally.denominator for tally in found) == board.denominator
        assert all(tally.without_evidence <= tally.states[State.NOT_SATISFIED] for tally in found)

    def test_every_domain_stands_with_its_counts_and_leads_to_its_controls(self, lab, board):
        text = shown(lab)
        for tally in today.tallies(board):
            row = self.row(text, tally.domain)
            assert f"{tally.states[State.SATISFIED]} of {tally.denominator}<" in row
            assert re.search(rf'data-word="Without evidence">(<span class="muted">)?{tally.without_evidence}<', row)

    def test_today_tells_of_what_has_evidence_or_a_deadline_only(self, lab, board):
        told = [result.control.id for result in today.telling(board)]
        assert re.findall(r'<tr id="([A-Z0-9-]+)"', shown(lab)) == told
        assert {"DAT-01", "SEC-04", "DAT-03", "LOG-06"} <= set(told)
        assert not {"AIA-02", "GOV-02", "DAT-02"} & set(told)

    def test_an_empty_log_says_so_and_still_counts(self):
        text = shown(LabConsole())
        assert "no statement speaks of any control" in text
        assert "0 of 10<" in self.row(text, "GOV")

    def test_more_than_a_page_of_rows_is_counted(self, lab):
        for requirement in catalog.load().requirements.values():
            lab.log.state(requirement.evidence, {}, by="control", subjects=(Subject("thing/a", Digest.of(b"a")),))
        text = shown(lab)
        told = len(today.telling(lab.board(ACME, lab.now())))
        assert told > today.SHOWN_CONTROLS
        assert text.count("<tr id=") == today.SHOWN_CONTROLS
        assert f"And {told - today.SHOWN_CONTROLS} more controls" in text
        assert len(text.encode()) < 150_000

    def test_the_page_of_a_domain_names_its_command_and_keeps_to_the_time(self, lab):
        text = shown(lab, "/controls/DAT")
        assert "ringfence status --domain DAT" in text
        assert "0 of 6 controls satisfied" in text
        assert 'hx-get="/controls/DAT"' in text
        past = shown(lab, "/controls/DAT?as_of=2026-11-20T00:00")
        assert "sse-connect" not in past
        assert "ringfence status --domain DAT --as-of 2026-11-20T00:00:00.000Z" in past
        assert 'href="/?as_of=2026-11-20T00%3A00%3A00.000Z"' in past
        assert 'href="/controls/DAT?as_of=2026-11-20T00%3A00%3A00.000Z"' in shown(lab, "/?as_of=2026-11-20T00:00")

    def test_a_control_without_evidence_shows_none(self, lab):
        row = re.search(r'<tr id="DAT-02".*?</tr>', shown(lab, "/controls/DAT"), re.DOTALL)[0]
        assert '<td class="nowrap" data-word="Evidence"><span class="muted">none</span>' in row

    @pytest.mark.parametrize("domain", ["dat", "XXX", "%3Cscript%3E"])
    def test_another_domain_is_not_found(self, lab, domain):
        answer = fetch(app(lab), f"/controls/{domain}", accept="text/html")
        assert answer.status_code == 404
        assert "<script>" not in answer.text

    def test_who_may_not_see_the_status_sees_no_domain(self, lab):
        assert fetch(app(lab, refused=frozenset({"status.read"})), "/controls/DAT").status_code == 403

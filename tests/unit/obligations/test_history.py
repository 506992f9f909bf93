from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.obligations import board, catalog, history
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State
from ringfence.testing.console import sample

RULES = catalog.load()


@pytest.fixture
def lab():
    return sample()


def records(lab):
    return Records.of(lab.log.tenant, lab.statements(lab.log.tenant, board.predicates(RULES)))


def of(lab, control, at=None, **options):
    return history.history(RULES.control(control), RULES, records(lab), at or lab.now(), **options)


def test_each_control_alone_comes_out_as_in_the_whole_board(lab):
    known = records(lab)
    for days in (0, 1, 5):
        at = lab.now() - timedelta(days=days)
        for result in board.compute(RULES, known, at).controls:
            assert board.compute(history.narrowed(RULES, result.control), known, at).controls[0] == result


def test_turns_are_those_that_boards_of_these_moments_show(lab):
    known = records(lab)
    for turn in of(lab, "DAT-01").turns:
        shown = board.compute(RULES, known, turn.at).controls
        assert next(one for one in shown if one.control.id == "DAT-01").verdict == turn.verdict


def test_a_failed_verification_is_told_with_its_moment(lab):
    newest, before, *_ = of(lab, "DAT-01").turns
    assert (newest.verdict.state, newest.verdict.reason) == (State.NOT_SATISFIED, Reason.CONTRADICTED)
    assert newest.at == lab.now() - timedelta(minutes=4)
    assert before.verdict.state is State.SATISFIED


def test_what_runs_out_turns_at_that_very_moment(lab):
    lab.log.advance(days=60)
    stale = next(turn for turn in of(lab, "LOG-06").turns if turn.verdict.reason is Reason.STALE)
    beat = lab.statements(lab.log.tenant, ("log.heartbeat",))[-1]
    assert stale.at == beat.recorded_at + RULES.requirements["log-06.heartbeat"].freshness


def test_the_date_of_an_act_is_a_turn_though_nothing_was_recorded_then(lab):
    lab.log.advance(days=500)
    begins = datetime(2027, 12, 2, tzinfo=UTC)  # of the duties for high-risk systems of Annex III
    turns = {turn.at: turn.verdict.state for turn in of(lab, "AIA-05").turns}
    assert turns[begins] is State.NOT_SATISFIED
    assert State.UPCOMING in turns.values()


def test_time_to_come_is_no_history(lab):
    assert of(lab, "DAT-01", lab.now() - timedelta(days=3)).turns[0].verdict.state is State.SATISFIED


def test_nothing_recorded_is_an_empty_whole_history(lab):
    empty = Records.of(lab.log.tenant, [])
    found = history.history(RULES.control("DAT-01"), RULES, empty, lab.now())
    assert (found.turns, found.looked, found.whole) == ((), 0, True)


def test_it_begins_where_it_is_told_to(lab):
    since = lab.now() - timedelta(hours=1)
    found = of(lab, "DAT-01", since=since)
    assert found.since > since
    assert not found.whole


def test_however_much_was_recorded_only_so_many_moments_are_looked_at(lab):
    for _ in range(2 * history.MOST):
        lab.log.advance(minutes=1)
        lab.log.state(
            "log.heartbeat", {"sources": 3, "statements": 1, "gaps": 0, "unexplained": 0, "late": 0}, by="control"
        )
    found = of(lab, "LOG-06")
    assert found.looked == history.MOST
    assert not found.whole


def test_a_control_over_very_many_things_is_not_looked_back_at(lab):
    for number in range(history.EFFORT // 2 + 1):
        subject = Subject(f"dataset/{number}", Digest.of(str(number).encode()))
        lab.log.state("dataset.sealed", {"dataset": str(number)}, subjects=(subject,))
    found = of(lab, "DAT-01")
    assert (found.turns, found.looked, found.whole) == ((), 0, False)


def test_a_control_that_a_profile_shortens_is_narrowed_with_its_profile():
    shorter = replace(RULES.requirements["log-06.heartbeat"], freshness=timedelta(hours=1))
    rules = replace(RULES, requirements={**RULES.requirements, shorter.id: shorter})
    assert history.narrowed(rules, rules.control("LOG-06")).requirements[shorter.id] == shorter

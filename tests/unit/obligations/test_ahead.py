from dataclasses import replace
from datetime import date

import pytest

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import board, catalog, producers
from ringfence.obligations.ahead import MOST, ahead
from ringfence.obligations.forms import shelf
from ringfence.obligations.producers import Way
from ringfence.obligations.records import Records
from ringfence.obligations.results import Standing, State, Verdict
from ringfence.testing.obligations import Story

CATALOG = catalog.load()
PRODUCERS = producers.by_type(shelf.types())
EMPTY = board.compute(CATALOG, Records.of(Story().tenant, []), Story().now)


def steps(found, most=MOST):
    return ahead(found, PRODUCERS, most)


def only(found, *controls):
    return replace(found, controls=tuple(one for one in found.controls if one.control.id in controls))


def asked(found, control, standing, since):
    """Let one provision stand behind a control, and none behind the others."""
    one = next(one for one in found.controls if one.control.id == control)
    duty = replace(one.duties[0], standing=standing, applies_from=since)
    rest = tuple(replace(each, duties=()) for each in found.controls if each is not one)
    return replace(found, controls=(replace(one, duties=(duty,)), *rest), duties=(duty,))


def test_an_empty_tenant_is_told_to_sign_its_scope_first():
    found = steps(EMPTY)
    assert len(found) == MOST
    assert found[0].command.startswith("ringfence scope")
    assert found[0].opens
    assert not any(step.opens for step in found[1:])


def test_what_binds_goes_before_what_is_upcoming_and_that_before_our_own_rules():
    controls = ("LOG-01", "SEC-02")
    binds = asked(only(EMPTY, *controls), "LOG-01", Standing.BINDING, date(2024, 10, 18))
    assert (steps(binds)[0].controls, steps(binds)[0].since) == (("LOG-01",), date(2024, 10, 18))
    assert steps(binds)[0].binding
    coming = asked(only(EMPTY, *controls), "SEC-02", Standing.UPCOMING, date(2027, 12, 2))
    assert (steps(coming)[0].controls, steps(coming)[0].binding) == (("SEC-02",), False)
    assert not steps(coming, 9)[-1].provision


@pytest.mark.parametrize("standing", [Standing.NOT_OURS, Standing.UNDETERMINED, Standing.BASIS])
def test_no_step_names_a_law_that_does_not_ask(standing):
    found = asked(only(EMPTY, "LOG-01"), "LOG-01", standing, date(2024, 10, 18))
    assert {step.provision for step in steps(found, 9)} == {""}


def test_a_step_goes_behind_what_it_rests_on():
    told = [step.command for step in steps(only(EMPTY, "DAT-01"), 9)]
    assert told == ["ringfence dataset seal SRC NAME", "ringfence dataset verify NAME"]


def test_a_look_goes_before_a_command_and_that_before_a_form():
    bare = replace(EMPTY, duties=(), controls=tuple(replace(one, duties=()) for one in EMPTY.controls))
    waits = [bool(step.waits_for) for step in steps(bare, 999)]
    assert waits == sorted(waits)
    assert any(waits)
    efforts = [step.way for step in steps(bare, 999) if not step.waits_for]
    order = [Way.COLLECTOR, Way.VERB, Way.FORM, Way.DRILL, None]
    assert efforts == sorted(efforts, key=order.index)
    assert {Way.COLLECTOR, Way.VERB, Way.FORM} <= set(efforts)


def test_a_step_stands_once_with_all_that_wait_for_it():
    found = steps(EMPTY, 999)
    assert len({step.command for step in found}) == len(found)
    waiting = {name for step in found for name in step.controls}
    assert waiting == {one.control.id for one in EMPTY.controls if one.verdict.state is State.NOT_SATISFIED}


def test_what_mends_a_finding_is_not_called_a_look():
    mending = next(step for step in steps(EMPTY, 999) if step.command == "ringfence key protect")
    assert mending.way is Way.VERB


def test_who_has_nothing_open_has_no_next_step():
    done = Verdict(State.SATISFIED, "")
    closed = tuple(replace(one, verdict=done) for one in EMPTY.controls)
    assert steps(replace(EMPTY, controls=closed)) == []


def test_a_part_that_is_met_is_no_step():
    story = Story()
    story.add(
        "log.heartbeat", {"sources": 1, "statements": 1, "gaps": 0, "unexplained": 0, "late": 0},
        role=KeyRole.CONTROL_PLANE, strength=Strength.OBSERVED,
    )  # fmt: skip
    found = board.compute(CATALOG, Records.of(story.tenant, story.statements), story.now)
    assert "ringfence record log.heartbeat" not in {step.command for step in steps(found, 999)}

import copy
from dataclasses import replace

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.comparing.outline import MAX_ENTRIES, outline
from ringfence.obligations.difference import Entry, compared
from ringfence.obligations.records import Records
from ringfence.testing.obligations import START, Story

RULES = catalog.load()


def status(rules=RULES):
    return sheet.document(board.compute(rules, Records.of(Story().tenant, [], demo=False), START))


@pytest.fixture(scope="module")
def shown():
    return status()


def test_every_control_rule_and_provision_is_in_it(shown):
    kinds = [entry.kind for entry in outline(shown).entries]
    counted = (kinds.count("control"), kinds.count("requirement"), kinds.count("obligation"))
    assert counted == (len(RULES.controls), len(RULES.requirements), len(RULES.obligations))


def test_two_outlines_differ_where_the_rules_do(shown):
    name, first = "log-02.chain", RULES.controls[0]
    other = replace(
        RULES,
        digest=RULES.digest.of(b"other"),
        controls=(replace(first, title="Another title"), *RULES.controls[1:]),
        requirements=RULES.requirements | {name: replace(RULES.requirements[name], asks="for less")},
    )
    found = compared(outline(status(other)), outline(shown))
    assert [(one.entry, one.field) for one in found.changed] == [
        (Entry("control", first.id), "title"),
        (Entry("requirement", name), "asks"),
    ]
    assert (found.added, found.removed) == ((), ())


def test_a_field_that_one_side_does_not_show_is_no_difference(shown):
    name = next(iter(one["id"] for one in shown["controls"][0]["obligations"]))
    less = copy.deepcopy(shown)
    for control in less["controls"]:
        control["obligations"] = [one for one in control["obligations"] if one["id"] != name]
    found = compared(outline(shown), outline(less))
    assert {one.field for one in found.changed} == {"obligations"}


@pytest.mark.parametrize(
    "change",
    [
        lambda status: status.pop("rules"),
        lambda status: status.update(rules="sha256:"),
        lambda status: status.update(controls=7),
        lambda status: status["controls"][0].update(title=["a", 7]),
        lambda status: status["controls"][0].update(id=None),
        lambda status: status["controls"][0]["requirements"][0].update(freshness_days="soon"),
        lambda status: status["controls"][0]["obligations"][0].pop("source"),
        lambda status: status["obligations"].pop("basis"),
        lambda status: status["obligations"]["basis"].extend({"id": f"x-{n}"} for n in range(MAX_ENTRIES)),
    ],
)
def test_what_is_no_status_is_refused_in_a_sentence(shown, change):
    damaged = copy.deepcopy(shown)
    change(damaged)
    with pytest.raises(MalformedInput):
        outline(damaged)


@pytest.mark.parametrize("status", [None, [], "status", {}])
def test_neither_is_anything_else(status):
    with pytest.raises(MalformedInput, match="does not say by which rules"):
        outline(status)


def test_a_status_of_some_controls_is_not_taken_for_all(shown):
    with pytest.raises(MalformedInput, match="some controls only"):
        outline(shown | {"controls": shown["controls"][:5]})

import pytest

from ringfence.exports.annexiv.points import KINDS, USES, parse, points, predicates
from ringfence.kernel.errors import MalformedInput

HEADINGS = [
    "General description of the system",
    "Elements of the system and the process of its development",
    "Monitoring, functioning and control",
    "Appropriateness of the performance metrics",
    "Risk management system",
    "Changes over the lifecycle",
    "Standards applied",
    "EU declaration of conformity",
    "Post-market monitoring plan",
]  # golden: the nine headings, as this project states them


def test_there_are_nine_points_with_these_headings():
    assert [point.id for point in points()] == [f"iv-{n}" for n in range(1, 10)]
    assert [point.heading for point in points()] == HEADINGS


def test_everything_that_is_told_says_what_it_does_not_show_and_about_what_it_is():
    for point in points():
        for telling in point.evidence:
            assert telling.does_not_show
            assert telling.about in KINDS
    assert set(USES) < set(KINDS)
    assert len(predicates()) == len(set(predicates()))


ROW = "- {point: iv-1, heading: a, prompts: [], evidence: []}\n"


@pytest.mark.parametrize(
    "entry",
    [
        "{type: dataset.sealed, about: dataset, colour: red}",
        "{type: dataset.sealed, about: planet, says: [a], not: b}",
        "{type: dataset.sealed, about: dataset}",
        "{type: dataset.sealed, about: dataset, says: [a]}",
    ],
)
def test_a_telling_that_is_not_known_is_refused(entry):
    rows = [f"- {{point: iv-{n}, heading: a, prompts: [], evidence: []}}\n" for n in range(1, 10)]
    rows[3] = rows[3].replace("evidence: []", f"evidence: [{entry}]")
    with pytest.raises(MalformedInput):
        parse("".join(rows).encode(), source="x")


def test_eight_points_are_not_the_annex():
    with pytest.raises(MalformedInput, match="nine"):
        parse(ROW.encode(), source="x")

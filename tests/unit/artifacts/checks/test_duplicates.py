import pytest

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.duplicates import judge
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Outcome, Row

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def judged(cells, share=0.0, near=0.0, conflicts=0.0):
    seen = Likeness(Roles(label="y", text="t"), 1, 0.7)
    rows = [Row("f", number, one.pop("split", ""), one) for number, one in enumerate(cells)]
    for row in rows:
        seen.see(row)
    seen.candidates()
    for place, row in enumerate(rows):
        seen.see_again(place, row)
    return judge(seen, seen.near(), share, near, conflicts)


def test_nothing_twice_passes():
    assert judged([{"t": LONG}, {"t": "x"}]).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([{"t": LONG}, {"t": LONG}], "duplicates/exact"),
        ([{"t": LONG}, {"t": LONG + " more"}], "duplicates/near"),
        ([{"t": LONG, "y": 1, "split": "a"}, {"t": LONG, "y": 2, "split": "b"}], "duplicates/conflicting-labels"),
    ],
)
def test_each_kind_fails_by_itself_and_passes_below_its_share(cells, kind):
    found = judged([dict(one) for one in cells])
    assert found.outcome is Outcome.FAILED
    assert [one.kind for one in found.findings] == [kind]
    assert found.findings[0].row == 1
    assert judged(cells, 1.0, 1.0, 1.0).outcome is Outcome.PASSED


def test_the_same_row_in_two_splits_is_leakage_and_no_duplicate():
    assert judged([{"t": LONG, "split": "a"}, {"t": LONG, "split": "b"}]).outcome is Outcome.PASSED

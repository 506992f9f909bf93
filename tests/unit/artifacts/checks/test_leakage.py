import pytest

from ringfence.artifacts.checks import leakage
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Outcome, Row

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
ROLES = Roles(label="y", text="t", keys=("patient",))


def judged(*cells, share=0.0):
    seen, keys = Likeness(ROLES, 1, 0.7), leakage.Keys(ROLES, 1)
    rows = [Row("f", number, split, one) for number, (split, one) in enumerate(cells)]
    for row in rows:
        seen.see(row)
        keys.see(row)
    seen.candidates()
    for place, row in enumerate(rows):
        seen.see_again(place, row)
    return leakage.judge(seen, seen.near(), keys, share)


def test_one_split_cannot_leak_and_is_no_pass():
    assert judged(("a", {"t": LONG})).outcome is Outcome.NOT_RUN


def test_splits_that_share_nothing_pass():
    assert judged(("a", {"t": LONG, "patient": 1}), ("b", {"t": "x", "patient": 2})).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"t": LONG, "y": 5}, "leakage/exact"),
        ({"t": LONG + " more"}, "leakage/near"),
        ({"t": "else", "patient": 1}, "leakage/key"),
    ],
)
def test_what_is_in_both_is_found(other, kind):
    found = judged(("a", {"t": LONG, "patient": 1} if "patient" in other else {"t": LONG}), ("b", other))
    assert found.outcome is Outcome.FAILED
    assert [one.kind for one in found.findings] == [kind]


def test_a_share_may_be_allowed_of_rows_and_never_of_keys():
    assert judged(("a", {"t": LONG}), ("b", {"t": LONG}), share=0.5).outcome is Outcome.PASSED
    keys = judged(("a", {"t": "x", "patient": 1}), ("b", {"t": "y", "patient": 1}), share=1.0)
    assert keys.outcome is Outcome.FAILED

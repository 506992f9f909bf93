from ringfence.artifacts.checks import likeness
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Row
from ringfence.testing.screening import near_recall

ROLES = Roles(label="y", text="t")
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def found(cells, similarity=0.6):
    seen = Likeness(ROLES, 1, similarity)
    rows = [Row("f", number, one.get("split", ""), one) for number, one in enumerate(cells)]
    for row in rows:
        seen.see(row)
    seen.candidates()
    for place, row in enumerate(rows):
        seen.see_again(place, row)
    return seen


def test_equal_contents_are_a_group_and_no_near_pair():
    seen = found([{"t": LONG, "y": 0}, {"t": "other", "y": 0}, {"t": LONG, "y": 1}])
    assert list(seen.exact()) == [[0, 2]]
    assert seen.near() == []
    assert seen.conflicting([0, 2])
    assert not seen.conflicting([0])
    assert seen.where(2) == ("f", 2)


def test_nearly_equal_texts_are_a_pair_with_their_true_similarity():
    seen = found([{"t": LONG}, {"t": LONG.replace("fifteen", "more")}, {"t": "quite another text of many words here"}])
    (pair,) = seen.near()
    assert (pair.first, pair.second) == (0, 1)
    assert pair.similarity == 12 / 14
    assert found([{"t": LONG}, {"t": LONG.replace("fifteen", "more")}], 0.9).near() == []


def test_beyond_the_bound_it_says_that_it_did_not_look_everywhere():
    limit, likeness.MAX_NEAR = likeness.MAX_NEAR, 1
    try:
        assert not found([{"t": LONG}, {"t": LONG + " x"}]).near_whole
    finally:
        likeness.MAX_NEAR = limit


def test_similar_pairs_are_found_and_only_those():
    recall, precision, pairs = near_recall(1, 1, 40)
    assert pairs > 50
    assert recall > 0.97
    assert precision == 1.0

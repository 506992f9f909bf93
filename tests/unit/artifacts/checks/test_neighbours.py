import pytest

from ringfence.artifacts.checks.bayes import balanced_accuracy
from ringfence.artifacts.checks.neighbours import scaled, votes
from ringfence.artifacts.checks.sampling import Numbers


def test_neighbours_see_what_single_columns_do_not():
    numbers = Numbers(1)
    points = [(numbers.normal(), numbers.normal()) for _ in range(400)]
    labels = [int((x > 0) == (y > 0)) for x, y in points]
    assert balanced_accuracy(votes(points, labels, 2), labels, 2) > 0.85


def test_a_row_is_not_its_own_neighbour():
    found = votes([(0.0,), (100.0,)], [0, 1], 2)
    assert found[0][1] > found[0][0]


def test_columns_are_brought_to_one_scale():
    rows = scaled([[float(1000 * place) for place in range(7)], [None, 1.0, 2.0, 3.0, 4.0, 5.0, 1e9]])
    assert rows[0][1] == 0.0
    assert rows[6][1] == 20.0
    assert max(abs(row[0]) for row in rows) < 2
    assert scaled([[None]]) == []
    assert scaled([[5.0, 5.0]])[0] == pytest.approx((0.0,))

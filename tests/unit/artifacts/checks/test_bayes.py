import pytest

from ringfence.artifacts.checks import bayes

ROWS = [[0, 2], [0], [0, 3], [1], [1, 2], [1, 3]] * 20
LABELS = [0, 0, 0, 1, 1, 1] * 20


def test_what_facts_say_is_learnt_from_other_rows():
    found = bayes.out_of_fold(ROWS, LABELS, 2, 4, 1)
    assert bayes.balanced_accuracy(found, LABELS, 2) == 1.0
    assert all(sum(shares) == pytest.approx(1) for shares in found)


def test_a_row_never_teaches_itself():
    rows, labels = [[place] for place in range(100)], [place % 2 for place in range(100)]  # each fact occurs once
    found = bayes.out_of_fold(rows, labels, 2, 100, 1)
    right = sum((shares[1] > shares[0]) == label for shares, label in zip(found, labels, strict=True))
    assert right < 75  # a model that had seen the row would be right 100 times


def test_balanced_accuracy_counts_labels_and_not_rows():
    assert bayes.balanced_accuracy([[0.9, 0.1]] * 10, [0] * 9 + [1], 2) == 0.5

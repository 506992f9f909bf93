"""The error rates that docs/how-to/check-data.md states, on clean sets and on sets with a known dose of faults.

Everything is made from seeds, so that a rate is the same each time; the full counts run in `make soak`.
"""

from collections import Counter

import pytest

from ringfence.artifacts.checks import policy
from ringfence.artifacts.checks import screening as poison
from ringfence.artifacts.checks.decisions import Decisions
from ringfence.artifacts.checks.screen import Kind
from ringfence.testing import screening
from ringfence.testing.screening import NUMBERS, ROLES
from ringfence.testing.training import FilesInMemory, as_csv, table, texts

pytestmark = pytest.mark.soak


def strong(seed):
    return texts(1000, seed, signal=0.2)


def weak(seed):
    return texts(1000, seed)


def measured(seed):
    return table(1000, seed)


@pytest.mark.parametrize(("make", "trigger"), [(strong, "cfq"), (weak, "cfq"), (measured, "3.3333")])
def test_clean_sets_have_no_triggers(make, trigger):
    assert screening.trigger_found(100, 0, make, trigger) <= 0.02


@pytest.mark.parametrize(
    ("make", "trigger", "dose", "power"),
    [
        (strong, "cfq", 0.02, 0.9),
        (strong, "cfq bbz nnm", 0.02, 0.9),
        (weak, "cfq", 0.05, 0.9),
        (measured, "3.3333", 0.01, 0.9),
    ],
)
def test_triggers_of_a_dose_are_found(make, trigger, dose, power):
    assert screening.trigger_found(30, dose, make, trigger) >= power


def test_triggers_without_changed_labels_are_not_found():
    assert screening.trigger_found(30, 0.05, strong, "cfq", dirty=False) <= 0.05


@pytest.mark.parametrize(
    ("make", "roles", "recall", "wrong"),
    [(strong, ROLES, 0.95, 0.005), (weak, ROLES, 0.8, 0.015), (measured, NUMBERS, 0.75, 0.02)],
)
def test_flipped_labels_are_found_and_few_others(make, roles, recall, wrong):
    assert screening.label_noise(20, 0, make, roles)[1] <= wrong
    found, others = screening.label_noise(20, 0.05, make, roles)
    assert found >= recall
    assert others <= wrong


def test_drift_is_found_where_it_is():
    assert screening.drift_found(200, 0.0) <= 0.01
    assert screening.drift_found(40, 0.5) >= 0.95


@pytest.mark.parametrize(("words", "changed"), [(12, 1), (40, 1), (40, 2), (200, 3)])
def test_similar_texts_are_found(words, changed):
    recall, precision, _ = screening.near_recall(20, changed, words)
    assert recall >= 0.9
    assert precision == 1.0


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [("normal", 0.0), ("uniform", 0.0), ("exponential", 0.002), ("student-3", 0.02), ("log-normal", 0.04)],
)
def test_outliers_of_clean_sets_are_few(shape, wrong):
    assert screening.outliers_wrong(20, shape) <= wrong


def test_outliers_beyond_the_bound_are_found():
    assert screening.outliers_found(20, 9.0) >= 0.95


@pytest.mark.parametrize(
    ("make", "flips", "triggers", "wrong"),
    [(strong, 0.95, 0.95, 0.001), (weak, 0.8, 0.2, 0.01), (measured, 0.7, 0.95, 0.02)],
)
def test_a_screen_for_poison_finds_what_it_plants_and_flags_little_else(make, flips, triggers, wrong):
    found, planted, flagged = Counter(), Counter(), 0
    order = poison.Order(policy.parse({"columns": {"label": "label"}}))
    for seed in range(20):
        done = poison.run(FilesInMemory({"a.csv": as_csv(make(seed))}), order, Decisions(bytes(32)))
        found += Counter({one.kind: one.found for one in done.tried})
        planted += Counter({one.kind: one.planted for one in done.tried})
        flagged += done.flagged
    share = {kind: found[kind] / planted[kind] for kind in Kind}
    assert share[Kind.DUPLICATE] >= 0.95
    assert share[Kind.OUTLIER] >= 0.95
    assert share[Kind.LABEL_FLIP] >= flips
    assert share[Kind.TRIGGER] >= triggers
    assert flagged <= wrong * 20_000

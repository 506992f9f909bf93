from ringfence.artifacts.checks import features, labels
from ringfence.artifacts.checks.model import Outcome
from ringfence.testing.screening import NUMBERS, ROLES, label_noise, rows_of
from ringfence.testing.training import flipped, table, texts


def judged(made, roles=ROLES, share=0.05):
    return labels.judge(features.gather(rows_of(made), roles), roles, share, 1)


def test_clean_labels_pass_and_flipped_ones_are_found():
    made = texts(600, 1, signal=0.2)
    assert judged(made).outcome is Outcome.PASSED
    planted = flipped(made, 0.1, 2)
    found = judged(made)
    assert found.outcome is Outcome.FAILED
    flagged = {one.row for one in found.findings}
    assert len(flagged & planted) > 0.9 * len(planted)
    assert len(flagged - planted) < 5
    assert "kind-0" not in found.findings[0].text


def test_where_columns_say_nothing_about_labels_it_has_not_passed():
    made = texts(400, 1, signal=0.0)
    found = judged(made)
    assert found.outcome is Outcome.NOT_RUN
    assert "do not predict" in found.reason


def test_the_better_of_two_methods_is_used():
    crossed = [
        row | {"label": str((row["x0"] > 0) == (row["x1"] > 0)), "kind": "a"}
        for row in table(500, 1, columns=2, apart=0)
    ]
    assert judged(crossed, NUMBERS, 0.2).measures["method"] == "nearest-neighbours"
    assert judged(texts(400, 1, signal=0.2)).measures["method"] == "naive-bayes"


def test_the_rates_of_one_set():
    recall, wrong = label_noise(1, 0.03, lambda seed: table(500, seed, apart=5.0), NUMBERS)
    assert recall > 0.8
    assert wrong < 0.02

"""The two turnovers never mix; the lower of two amounts makes a loss significant."""

import pytest

from ringfence.testing.organisations import NOTHING, answer

M = 1_000_000
CLOUD = {"services": ["gpu_cloud"], "size__staff": 60}


@pytest.mark.parametrize(
    ("own", "loss"), [(9 * M, 450_000), (10 * M, 500_000), (11 * M, 500_000), (100 * M, 500_000), (NOTHING, None)]
)
def test_the_lower_counts_and_the_own_turnover_is_the_base(own, loss):
    found = answer(**CLOUD, size__turnover=own, undertaking_turnover_worldwide=900 * M)["turnovers"]
    assert found["significant_loss_eur"] == loss
    assert found["undertaking_eur"] == 900 * M


def test_whoever_the_regulation_does_not_concern_has_no_threshold_of_it():
    assert answer()["turnovers"]["significant_loss_eur"] is None

import pytest

from ringfence.testing import screening
from ringfence.testing.training import texts


def test_shares_and_rows():
    assert screening.share([True, False]) == 0.5
    assert [row.number for row in screening.rows_of(texts(3, 1))] == [0, 1, 2]


@pytest.mark.parametrize("shape", screening.SHAPES)
def test_every_shape_is_measured(shape):
    assert 0.0 <= screening.outliers_wrong(1, shape, 200) < 0.1


def test_a_rate_tells_planted_faults_from_none():
    found, wrong = screening.label_noise(1, 0.05, lambda seed: texts(300, seed, signal=0.3), screening.ROLES)
    assert found > 0.8 > 0.1 > wrong
    assert screening.label_noise(1, 0.0, lambda seed: texts(300, seed, signal=0.3), screening.ROLES)[0] == 0.0

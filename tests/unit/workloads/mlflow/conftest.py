import pytest

from ringfence.testing import mlflow as lab


@pytest.fixture
def store(tmp_path):
    """A folder of runs: a database takes seconds to make."""
    return lab.made(tmp_path / "runs")

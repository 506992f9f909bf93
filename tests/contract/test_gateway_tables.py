"""`gateway.ports.KeyTable`, `DeploymentTable` and `Marks`: the fakes and the adapters that ship, by one suite."""

import pytest

from ringfence.gateway.keyring import MarkFile
from ringfence.gateway.store import DeploymentRows, KeyRows
from ringfence.testing.callers import DeploymentTableContract, KeyTableContract, MarksContract, MemoryMarks, World

pytestmark = pytest.mark.databases


@pytest.fixture(params=["memory", "database"])
def world(request):
    return World() if request.param == "memory" else None


@pytest.fixture
def transaction(world, request):
    return world.transaction if world else request.getfixturevalue("services").database.transaction


class TestKeyTable(KeyTableContract):
    @pytest.fixture
    def table(self, world, request):
        return world.keys if world else KeyRows(request.getfixturevalue("services").database)


class TestDeploymentTable(DeploymentTableContract):
    @pytest.fixture
    def table(self, world, request):
        return world.deployments if world else DeploymentRows(request.getfixturevalue("services").database)


class TestMarks(MarksContract):
    @pytest.fixture(params=["memory", "file"])
    def marks(self, request, tmp_path):
        return MemoryMarks() if request.param == "memory" else MarkFile(tmp_path / "marks")

import pytest

from ringfence.artifacts.blobs import Home, directory_vault
from ringfence.artifacts.store import DatasetTable
from ringfence.testing.artifacts import (
    TENANT,
    MemoryDatasets,
    MemoryVault,
    MemoryWork,
    goes_on_with_what_was_begun,
    keeps_epochs_apart,
    reads_exactly,
    refuses_what_is_not_there,
    remembers_erasures,
)

FILES = {"seal.json": b"{}", "objects/a": bytes(range(40)), "chunks/a": b"c" * 32, "index": b""}


@pytest.fixture(params=["memory", "directory"])
def vault(request, tmp_path):
    if request.param == "memory":
        yield MemoryVault(dict(FILES))
        return
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with directory_vault(tmp_path) as found:
        yield found


@pytest.mark.parametrize("name", [name for name, data in FILES.items() if data])
def test_files_read_exactly(vault, name):
    reads_exactly(vault, name, FILES[name])


def test_what_is_missing(vault):
    refuses_what_is_not_there(vault)


def test_listing(vault):
    listing = vault.listing()
    assert listing.top == {"seal.json", "objects", "chunks", "index"}
    assert listing.objects == listing.chunks == {"a"}


def test_what_was_begun_in_memory():
    goes_on_with_what_was_begun(MemoryWork())


def test_what_was_begun_on_disk(tmp_path):
    with Home(tmp_path).working(TENANT, {}, lambda _work: False) as work:
        goes_on_with_what_was_begun(work)


def test_datasets_in_memory():
    keeps_epochs_apart(MemoryDatasets())


@pytest.mark.databases
def test_datasets_in_the_database(database):
    with database.transaction():
        keeps_epochs_apart(DatasetTable(database))


@pytest.mark.parametrize("kind", ["memory", pytest.param("table", marks=pytest.mark.databases)])
def test_erasures_are_remembered(kind, request):
    if kind == "memory":
        remembers_erasures(MemoryDatasets())
        return
    database = request.getfixturevalue("database")
    with database.transaction():
        remembers_erasures(DatasetTable(database))

"""The folder of a witness: what it saw is durable, its own, and never made up."""

from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput, Refused, Unavailable, UsageError
from ringfence.ledger.witness.model import Accepted
from ringfence.ledger.witness.store import WitnessFolder
from ringfence.testing.keys import ORIGIN, head

HEAD = head(7, bytes(32))


@pytest.fixture
def folder(tmp_path: Path) -> WitnessFolder:
    found = WitnessFolder(tmp_path / "w")
    found.prepare("witness.example/w1", None)
    return found


def test_the_keys_stay_and_the_name_does(folder: WitnessFolder) -> None:
    first = [str(key.public) for key in folder.prepare("", None)]
    assert first == [str(key.public) for key in folder.prepare("witness.example/w1", None)]
    assert (folder.path / "witness.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="another folder"):
        folder.prepare("witness.example/w2", None)


def test_a_passphrase_protects_the_keys(tmp_path: Path) -> None:
    folder = WitnessFolder(tmp_path / "p")
    folder.prepare("witness.example/w1", b"secret")
    with pytest.raises(Refused):
        folder.prepare("", None)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "x" * 300])
def test_a_name_that_cannot_name_a_key_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises((UsageError, MalformedInput)):
        WitnessFolder(tmp_path / "w").prepare(name, None)
    assert not (tmp_path / "w" / "witness.key").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        WitnessFolder(tmp_path).prepare("witness.example/w1", None)


def test_what_was_seen_is_read_back(folder: WitnessFolder) -> None:
    assert folder.heads.latest(ORIGIN) is None
    folder.heads.keep(Accepted(HEAD.checkpoint, HEAD.note))
    assert folder.heads.latest(ORIGIN) == HEAD.checkpoint


@pytest.mark.parametrize(
    "spoil", [b"", b"x", HEAD.note.encode()[:40], head(7, bytes(32), origin="a.eu/b").note.encode()]
)
def test_a_damaged_memory_cosigns_nothing(folder: WitnessFolder, spoil: bytes) -> None:
    folder.heads.keep(Accepted(HEAD.checkpoint, HEAD.note))
    (file,) = (folder.path / "heads").iterdir()
    file.write_bytes(spoil)
    with pytest.raises(Unavailable):
        folder.heads.latest(ORIGIN)


def test_a_witness_without_its_memory_cosigns_nothing(folder: WitnessFolder) -> None:
    (folder.path / "heads").rmdir()
    with pytest.raises(Unavailable, match="forgotten"):
        folder.heads.latest(ORIGIN)


def test_one_process_holds_a_folder(folder: WitnessFolder) -> None:
    with folder.alone(), pytest.raises(Unavailable, match="already"), WitnessFolder(folder.path).alone():
        pass
    with folder.alone():
        pass

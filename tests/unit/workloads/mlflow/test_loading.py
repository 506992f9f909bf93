"""A model is loaded only from bytes that were signed, and nothing that could run is."""

import pickle  # noqa: TID251 - a hostile file is made here, and never read by it
from pathlib import Path

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed
from ringfence.workloads.mlflow.loading import digest_of, verified


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "model"
    (place / "deep").mkdir(parents=True)
    (place / "MLmodel").write_text("flavors: {}\n")
    (place / "deep" / "config.json").write_text("{}")
    return place


def test_what_was_signed_is_given_as_a_copy(folder):
    with verified(folder, digest_of(folder)) as copy:
        assert copy != folder
        assert (copy / "deep" / "config.json").read_text() == "{}"
        (folder / "MLmodel").write_text("changed afterwards")
        assert (copy / "MLmodel").read_text() == "flavors: {}\n"
        assert copy.parent.stat().st_mode & 0o077 == 0
    assert not Path(copy).exists()


@pytest.mark.parametrize("change", ["a byte", "a file more", "a file less", "another name"])
def test_a_change_is_refused(folder, change):
    digest = digest_of(folder)
    match change:
        case "a byte":
            (folder / "MLmodel").write_text("flavors: {} \n")
        case "a file more":
            (folder / "more.json").write_text("{}")
        case "a file less":
            (folder / "deep" / "config.json").unlink()
        case _:
            (folder / "MLmodel").rename(folder / "MLmodel2")
    with pytest.raises(VerificationFailed, match="nothing is loaded"), verified(folder, digest):
        pytest.fail("it was given")


def test_another_digest_is_refused(folder):
    with pytest.raises(VerificationFailed), verified(folder, Digest.of(b"other")):
        pytest.fail("it was given")


class Runs:
    def __reduce__(self):
        return (print, ("it ran",))


def test_a_pickle_is_refused_with_any_digest(folder):
    (folder / "python_model.pkl").write_bytes(pickle.dumps(Runs()))
    with pytest.raises(VerificationFailed, match="scan refuses"), verified(folder, digest_of(folder)):
        pytest.fail("it was given")

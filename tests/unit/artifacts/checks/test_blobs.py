"""Plain folders and sealed datasets as the checks read them."""

import pytest

from ringfence.artifacts.checks import blobs
from ringfence.artifacts.checks.model import Outcome
from ringfence.artifacts.opening import open_dataset
from ringfence.kernel.errors import Conflict, UsageError
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.models import key


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.csv").write_bytes(b"x\n1\n")
    (tmp_path / "sub" / "b.csv").write_bytes(b"x\n2\n")
    return tmp_path


def contents(files):
    found = {}
    for path, source in files.files():
        buffer = bytearray(source.size)
        found[path] = bytes(buffer[: source.read_into(memoryview(buffer), 0)])
        assert source.unchanged()
    return found


def test_a_folder_is_gone_through_in_order_as_often_as_asked(folder):
    files = blobs.PlainFiles(folder)
    assert contents(files) == contents(files) == {"a.csv": b"x\n1\n", "sub/b.csv": b"x\n2\n"}


def test_the_digest_names_paths_and_bytes(folder):
    files = blobs.PlainFiles(folder)
    first = files.digest()
    assert first == files.digest()
    (folder / "a.csv").write_bytes(b"x\n3\n")
    second = files.digest()
    (folder / "a.csv").rename(folder / "c.csv")
    assert len({first, second, files.digest()}) == 3


def test_a_file_that_is_written_to_meanwhile_is_a_conflict(folder):
    files = blobs.PlainFiles(folder).files()
    path, _ = next(files)
    with (folder / path).open("ab") as file:
        file.write(b"more")
    with pytest.raises(Conflict):
        next(files)


def test_a_link_is_refused(folder):
    (folder / "link.csv").symlink_to(folder / "a.csv")
    with pytest.raises(UsageError, match="symbolic link"):
        blobs.PlainFiles(folder).digest()


def test_a_sealed_dataset_gives_its_verified_files():
    made = sealed_in_memory({"a.csv": b"x\n1\n", "b/c.csv": b"y\n" * 1000})
    with open_dataset(made.vault, made.digest, 1, made.keyring) as opened:
        assert contents(blobs.UnsealedFiles(opened)) == {"a.csv": b"x\n1\n", "b/c.csv": b"y\n" * 1000}
        assert blobs.sealed_result(opened, made.digest).outcome is Outcome.PASSED


def test_without_a_key_no_signature_counts(folder, tmp_path):
    assert blobs.signature_of(folder, []).outcome is Outcome.NOT_RUN
    pem = tmp_path / "key.pem"
    pem.write_text(key().public.pem)
    missing = blobs.signature_of(folder, [pem])
    assert missing.outcome is Outcome.FAILED
    assert "model.sig" in missing.reason

"""fs-verity: the structures are the kernel's, the digest is the one that others compute, and its absence is told."""

import errno
import os
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models import verity
from ringfence.artifacts.models.blobs import FileContent, _copied
from ringfence.artifacts.models.contents import Contents
from ringfence.kernel.errors import VerificationFailed


class Kernel:
    """What a file system with fs-verity answers, as Documentation/filesystems/fsverity.rst says."""

    def __init__(self):
        self.digests, self.modes = {}, []

    def __call__(self, descriptor, request, data):
        status = os.fstat(descriptor)
        if request == verity.ENABLE:
            version, algorithm, block, salt, _, signature, reserved, _ = struct.unpack("=IIIIQIIQ", data[:40])
            assert (version, algorithm, block, salt, signature, reserved) == (1, 1, 4096, 0, 0, 0)
            assert (len(data), data[40:]) == (128, bytes(88))
            self.modes.append(status.st_mode & 0o777)
            self.digests[status.st_ino] = verity.digest_of([os.pread(descriptor, status.st_size, 0)])
            return data
        assert struct.unpack("=HH", data[:4]) == (0, 32)
        if status.st_ino not in self.digests:
            raise OSError(errno.ENODATA, "no data")
        return struct.pack("=HH", 1, 32) + self.digests[status.st_ino]


def test_the_requests_are_those_of_the_kernel():
    def number(direction, size, command):
        return direction << 30 | size << 16 | ord("f") << 8 | command

    assert number(1, 128, 133) == verity.ENABLE
    assert number(3, 4, 134) == verity.MEASURE
    assert len(verity.argument()) == 128


def test_the_digest_of_nothing_is_the_one_that_every_tool_prints():
    empty = "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"
    assert verity.digest_of([]).hex() == empty


@given(st.integers(0, 4096 * 130), st.lists(st.integers(0, 4096 * 130), max_size=4))
def test_the_digest_does_not_depend_on_the_pieces(size, cuts):
    data = (b"%08d" % size) * (size // 8 + 1)
    edges = sorted({0, size, *(min(cut, size) for cut in cuts)})
    pieces = [data[first:last] for first, last in pairwise(edges)]
    assert verity.digest_of(pieces) == verity.digest_of([data[:size]])


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 4096 * 128, 4096 * 128 + 1])
def test_every_byte_and_the_length_count(size):
    data = bytes(size)
    found = {verity.digest_of([data]), verity.digest_of([data + b"\0"]), verity.digest_of([data[:-1] + b"\1"])}
    assert len(found) == 3


def test_here_it_is_told_that_there_is_none_or_it_works(tmp_path):
    """For real, on whatever file system the tests run."""
    path = tmp_path / "content"
    path.write_bytes(b"weights")
    held = verity.enabled(path, 0o400)
    assert path.stat().st_mode & 0o777 == (0o400 if held else path.stat().st_mode & 0o777)
    with path.open("rb") as file:
        assert (verity.measured(file.fileno()) == verity.digest_of([b"weights"])) is held
    assert verity.probe(tmp_path) is held
    assert list(tmp_path.iterdir()) == [path]


def test_where_there_is_one_a_file_gets_it_and_stays_frozen(tmp_path):
    kernel, path = Kernel(), tmp_path / "content"
    path.write_bytes(b"weights")
    path.chmod(0o400)
    assert verity.enabled(path, 0o400, kernel)
    assert kernel.modes == [0o600]  # the kernel asks for the right to write
    assert path.stat().st_mode & 0o777 == 0o400
    assert verity.probe(tmp_path, kernel)


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.ENOTSUP, errno.EACCES, errno.EINVAL])
def test_a_kernel_that_does_not_is_no_error(tmp_path, number):
    def refusing(_descriptor, request, _data):
        raise OSError(errno.ENODATA if request == verity.MEASURE else number, "no")

    path = tmp_path / "content"
    path.write_bytes(b"weights")
    assert not verity.enabled(path, 0o400, refusing)
    assert not verity.probe(tmp_path, refusing)


def test_a_kernel_that_measures_something_else_is_no_fs_verity(tmp_path):
    def lying(_descriptor, request, data):
        return data if request == verity.ENABLE else struct.pack("=HH", 1, 32) + bytes(32)

    assert not verity.probe(tmp_path, lying)
    path = tmp_path / "content"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert verity.measured(file.fileno(), lambda *_: struct.pack("=HH32s", 2, 32, b"")) is None


def test_a_failed_read_is_the_kernels_refusal_only_where_it_holds_the_file(tmp_path):
    kernel, path = Kernel(), tmp_path / "content"
    path.write_bytes(b"weights")
    with path.open("rb") as file:
        failed = OSError(errno.EIO, "Input/output error")
        assert not verity.refused(file.fileno(), failed, kernel)
        assert verity.enabled(path, 0o400, kernel)
        assert verity.refused(file.fileno(), failed, kernel)
        assert not verity.refused(file.fileno(), OSError(errno.EBADF, "Bad file descriptor"), kernel)
        assert not verity.refused(file.fileno(), None, kernel)


@pytest.mark.parametrize("size", [10, 3 * 2**20 + 5])
def test_what_the_kernel_holds_by_another_digest_is_not_opened(tmp_path, size):
    kernel, path = Kernel(), tmp_path / "content"
    path.write_bytes(b"w" * size)
    assert verity.enabled(path, 0o400, kernel)

    def copied():
        sink = os.memfd_create("test")
        try:
            return _copied(FileContent(descriptor, "content"), sink, kernel)
        finally:
            os.close(sink)

    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert copied()
        kernel.digests = dict.fromkeys(kernel.digests, bytes(32))
        with pytest.raises(VerificationFailed, match="fs-verity"):
            copied()
    finally:
        os.close(descriptor)


def test_a_stored_content_is_as_frozen_as_before(tmp_path):
    (tmp_path / "model").write_bytes(b"weights")
    contents = Contents(tmp_path / "contents", lambda: 0)
    with (tmp_path / "model").open("rb") as file:
        digest = contents.take(FileContent(file.fileno(), "model"))
    (kept,) = (path for path in (tmp_path / "contents").rglob("*") if path.is_file())
    assert (kept.name, kept.stat().st_mode & 0o777) == (digest.hex, 0o400)

import mmap
import os
from pathlib import Path

import pytest

from ringfence.artifacts.models.blobs import verified
from ringfence.gateway.model import Protocol
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable, UsageError, VerificationFailed
from ringfence.testing.engines import signed_model, signing_key, twice
from ringfence.testing.models import described, gguf
from ringfence.workloads import weights
from ringfence.workloads.engine.frames import LLAMA, ONNX
from ringfence.workloads.weights import Trusted

TRUSTED = Trusted((signing_key().public,))


@pytest.fixture
def model(tmp_path):
    return signed_model(tmp_path / "model", {"twice.onnx": twice(), "README.md": b"# Twice\n"})


def test_the_weights_are_the_signed_bytes_in_memory(model):
    with weights.opened(model, TRUSTED) as found:
        assert (found.name, found.engine, found.size) == ("twice.onnx", ONNX, len(twice()))
        assert b"".join(found.stream()) == twice()
        assert found.digest == Digest.of(twice())
        assert found.model != found.digest
        with pytest.raises(PermissionError):
            os.pwrite(found.descriptor, b"x", 0)
        descriptor = found.descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_swap_after_opening_never_reaches_the_engine(model):
    with weights.opened(model, TRUSTED) as found:
        (model / "twice.onnx").write_bytes(b"something else")
        (model / "twice.onnx").rename(model / "gone")
        assert b"".join(found.stream()) == twice()


@pytest.mark.parametrize("place", [0, 50, -1])
def test_one_byte_changed_is_refused(model, place):
    data = bytearray(twice())
    data[place] ^= 1
    (model / "twice.onnx").write_bytes(data)
    with pytest.raises(VerificationFailed), weights.opened(model, TRUSTED):
        pass


def test_a_strangers_signature_and_none_are_refused(model, tmp_path):
    with pytest.raises(VerificationFailed), weights.opened(model, Trusted((signing_key(2).public,))):
        pass
    with pytest.raises(UsageError, match="--key"), weights.opened(model, Trusted()):
        pass
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "twice.onnx").write_bytes(twice())
    with pytest.raises(NotFound, match="not signed"), weights.opened(bare, TRUSTED):
        pass


def test_what_the_scan_refuses_is_not_served_although_it_is_signed(tmp_path):
    for number, files in enumerate(
        (
            {"twice.onnx": twice(), "extra.pkl": b"cos\nsystem\n(S'true'\ntR."},
            {"twice.onnx": b"not an onnx file at all"},
        )
    ):
        model = signed_model(tmp_path / str(number), files)
        with pytest.raises(VerificationFailed, match="the scan says"), weights.opened(model, TRUSTED):
            pass


def test_a_single_file_is_served_by_its_digest(tmp_path):
    file = tmp_path / "twice.onnx"
    file.write_bytes(twice())
    with weights.opened(file, Trusted(pin=Digest.of(twice()))) as found:
        assert found.model == found.digest == Digest.of(twice())
        assert b"".join(found.stream()) == twice()
        with pytest.raises(PermissionError):
            os.pwrite(found.descriptor, b"x", 0)
    with pytest.raises(VerificationFailed, match="pinned"), weights.opened(file, Trusted(pin=Digest.of(b""))):
        pass
    link = tmp_path / "link.onnx"
    link.symlink_to(file)
    with pytest.raises(UsageError), weights.opened(link, Trusted(pin=Digest.of(twice()))):
        pass


def test_exactly_one_file_can_be_served(tmp_path):
    one = signed_model(tmp_path / "one", {"a.gguf": b"GGUF", "config.json": b"{}"})
    assert weights.engine_for(one) == LLAMA
    for name, files in {"two": {"a.gguf": b"", "b.onnx": b""}, "none": {"a.safetensors": b""}}.items():
        folder = tmp_path / name
        folder.mkdir()
        for file, data in files.items():
            (folder / file).write_bytes(data)
        with pytest.raises(UsageError, match="exactly one"):
            weights.engine_for(folder)
    with pytest.raises(NotFound):
        weights.engine_for(tmp_path / "absent")


def test_an_engine_that_is_not_installed_says_how_to_get_it():
    weights.check_installed(ONNX, find=lambda name: name)
    with pytest.raises(Unavailable, match=r"ringfence\[serve\]"):
        weights.check_installed(LLAMA, find=lambda _name: None)


def test_each_engine_has_its_protocol_and_its_threads():
    assert weights.PROTOCOLS == {LLAMA: Protocol.OPENAI, ONNX: Protocol.INFERENCE_V2}
    assert weights.threads_for(5) == 1
    assert weights.threads_for(25_600) == max(1, (os.cpu_count() or 1) - 1), "one is left to everything else"
    with pytest.raises(MalformedInput):
        weights.threads_for(0)


# The bytes that were verified are those that load, whatever is swapped meanwhile.

LARGE = 24 * 2**20


def read_so_far():
    """Return how many bytes this process has asked the kernel for, by whichever call."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])


def large(folder):
    """Write a signed GGUF file whose one tensor is most of it."""
    data = gguf(tensors=[described("w", [LARGE // 4], 0, 0)], data=bytes(LARGE))
    return signed_model(folder, {"large.gguf": data})


@pytest.mark.parametrize("pinned", [False, True], ids=["signed", "pinned"])
def test_each_byte_of_the_weights_is_read_once(tmp_path, pinned):
    path = large(tmp_path / "model")
    file = path / "large.gguf"
    size = file.stat().st_size
    trusted = Trusted(pin=Digest.of(file.read_bytes())) if pinned else TRUSTED
    before = read_so_far()
    with weights.opened(file if pinned else path, trusted) as found:
        done = read_so_far() - before
        assert found.size == size
    assert size <= done < size * 1.1, "less is not all of it, and more is a second time"


def test_a_folder_that_is_swapped_for_a_link_is_not_the_one_that_is_read(model, tmp_path):
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "twice.onnx").write_bytes(b"evil")
    with verified(model, TRUSTED.keys) as opened:
        model.rename(tmp_path / "away")
        model.symlink_to(evil)
        descriptor = opened.memfd("twice.onnx")
    try:
        assert os.pread(descriptor, 2 * len(twice()), 0) == twice()
    finally:
        os.close(descriptor)


def test_a_file_that_is_swapped_for_a_link_is_not_followed(model, tmp_path):
    (tmp_path / "evil.onnx").write_bytes(twice())
    with verified(model, TRUSTED.keys) as opened:
        (model / "twice.onnx").unlink()
        (model / "twice.onnx").symlink_to(tmp_path / "evil.onnx")
        with pytest.raises(UsageError, match="link"):
            opened.memfd("twice.onnx")


def test_a_file_that_is_swapped_between_signature_and_bytes_is_refused(model):
    with verified(model, TRUSTED.keys) as opened:
        (model / "new").write_bytes(b"evil")
        (model / "new").rename(model / "twice.onnx")
        with pytest.raises(VerificationFailed):
            opened.memfd("twice.onnx")


def test_pages_that_are_rewritten_through_a_mapping_reach_no_engine(model):
    with (
        (model / "twice.onnx").open("r+b") as file,
        mmap.mmap(file.fileno(), 0) as mapped,
        weights.opened(model, TRUSTED) as found,
    ):
        mapped[:] = bytes(len(mapped))
        mapped.flush()
        assert b"".join(found.stream()) == twice()
        assert found.digest == Digest.of(twice())


def test_nobody_writes_to_what_was_verified(model):
    with weights.opened(model, TRUSTED) as found:
        for change in (
            lambda: os.pwrite(found.descriptor, b"x", 0),
            lambda: os.ftruncate(found.descriptor, 0),
            lambda: os.ftruncate(found.descriptor, found.size + 1),
            lambda: mmap.mmap(found.descriptor, found.size),
        ):
            with pytest.raises(PermissionError):
                change()
        again = os.open(f"/proc/self/fd/{found.descriptor}", os.O_RDWR)
        try:
            with pytest.raises(PermissionError):
                os.pwrite(again, b"x", 0)
        finally:
            os.close(again)

import os
import socket
from pathlib import Path

import pytest

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.blobs import CHUNK, hash_of, looked_at, model_folder, verified
from ringfence.artifacts.models.model import MAX_FILES
from ringfence.artifacts.models.stamps import Stamps
from ringfence.artifacts.models.store import sign_folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unavailable,
    UsageError,
    VerificationFailed,
)
from ringfence.testing.models import key

FILES = {"config.json": b"{}", "sub/w.bin": bytes(range(256)) * 10_000, "empty": b"", ".hidden": b"h", "sub-w": b"x"}
EVIL = b"evil" * 700_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "place" / "model"
    for name, data in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(data)
    (made / ".gitignore").write_text("x")
    (made / ".git").mkdir()
    (made / ".git" / "config").write_text("x")
    return made


@pytest.fixture
def signed(folder):
    with model_folder(folder) as opened:
        sign_folder(opened, folder, key())
    return folder


def trusted():
    return [key().public]


def check(folder):
    with verified(folder, trusted()) as model:
        return model.check()


def read_all(descriptor):
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_a_signed_model_verifies_and_is_handed_on(signed):
    with verified(signed, trusted()) as model:
        assert model.names() == tuple(sorted(FILES))
        assert model.check() == sum(map(len, FILES.values()))
        for name, data in FILES.items():
            assert b"".join(model.stream(name)) == data
            assert read_all(model.memfd(name)) == data
        assert model.digest == oms.manifest_of("any", {name: Digest.of(data) for name, data in FILES.items()}).digest


def test_hashes_are_those_of_the_files(folder):
    with model_folder(folder) as opened:
        assert {name: one.digest for name, one in opened.hashed().items()} == {
            name: Digest.of(data) for name, data in FILES.items()
        }


def test_each_byte_is_read_once(folder):
    big = 32 * 2**20
    (folder / "big").write_bytes(os.urandom(big))

    def read():
        return int(Path("/proc/self/io").read_text().split()[1])

    with model_folder(folder) as opened:
        before = read()
        opened.hashed()
        assert read() - before < big + sum(map(len, FILES.values())) + 2**20


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_byte_of_any_file_is_refused(signed, name):
    data = FILES[name]
    (signed / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if data else b"x")
    with pytest.raises(VerificationFailed, match=repr(name)):
        check(signed)
    with verified(signed, trusted()) as model, pytest.raises(VerificationFailed):
        model.memfd(name)


def test_files_that_are_missing_added_or_swapped_are_refused(signed):
    (signed / "extra.py").write_text("x")
    with pytest.raises(VerificationFailed, match=r"'extra\.py' is not signed"):
        check(signed)
    (signed / "extra.py").unlink()
    (signed / "sub-w").rename(signed / "aside")
    with pytest.raises(VerificationFailed, match="'aside' is not signed"):
        check(signed)
    (signed / "aside").unlink()
    with pytest.raises(VerificationFailed, match="'sub-w' was signed and is missing"):
        check(signed)
    (signed / "sub-w").write_bytes(FILES[".hidden"])
    (signed / ".hidden").write_bytes(FILES["sub-w"])
    with pytest.raises(VerificationFailed, match="does not hold the bytes"):
        check(signed)


def test_an_unsigned_model_and_a_stranger_s_key(folder, signed):
    with pytest.raises(VerificationFailed, match="not among those"), verified(signed, [key(2).public]):
        pass
    (folder / "model.sig").unlink()
    with pytest.raises(NotFound, match="is not signed"), verified(folder, trusted()):
        pass


def test_links_and_what_is_no_file_are_refused(folder):
    def refused(kind):
        with model_folder(folder) as opened, pytest.raises(UsageError, match=kind):
            opened.hashed()

    (folder / "x").symlink_to("/etc/passwd")
    refused("symbolic link")
    (folder / "x").unlink()
    (folder / "x").symlink_to(folder / "sub")
    refused("symbolic link")
    (folder / "x").unlink()
    os.link(folder / "config.json", folder / "x")
    refused("hard link")
    (folder / "x").unlink()
    os.mkfifo(folder / "x")
    refused("not a regular file")
    (folder / "x").unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "x"))
        refused("not a regular file")


def test_names_that_cannot_be_signed_are_refused(folder):
    for name in (b"\xff", b"a\nb", "e\u0301".encode()):
        path = os.path.join(os.fsencode(folder), name)  # noqa: PTH118 - bytes
        Path(os.fsdecode(path)).write_bytes(b"")
        with model_folder(folder) as opened, pytest.raises(MalformedInput):
            opened.names()
        Path(os.fsdecode(path)).unlink()


def test_a_file_a_link_and_nothing_are_no_folder(folder):
    link = folder.parent / "link"
    link.symlink_to(folder)
    for path, why in ((folder / "config.json", "put the file into one"), (link, "link"), (folder / "no", "missing")):
        with pytest.raises(UsageError, match=why), model_folder(path):
            pass


# What an attacker does between the check of a name and its use. Each swap is real, and none may reach the reader.


def overwritten(_folder, path):
    with path.open("r+b") as file:
        file.write(EVIL[: path.stat().st_size])


def replaced(_folder, path):
    other = path.with_name("other")
    other.write_bytes(EVIL)
    other.replace(path)


def truncated(_folder, path):
    os.truncate(path, 10)


def grown(_folder, path):
    with path.open("ab") as file:
        file.write(b"more")


def linked(folder, path):
    (folder.parent / "evil").write_bytes(EVIL)
    path.unlink()
    path.symlink_to(folder.parent / "evil")


def parent_linked(folder, path):
    evil = folder.parent / "evil"
    evil.mkdir()
    (evil / path.name).write_bytes(EVIL)
    path.parent.rename(folder.parent / "moved")
    path.parent.symlink_to(evil)


def removed(_folder, path):
    path.unlink()


SWAPS = [overwritten, replaced, truncated, grown, linked, parent_linked, removed]


@pytest.mark.parametrize("swap", SWAPS)
def test_a_swap_after_verification_and_before_reading_never_reaches_the_reader(signed, swap):
    with verified(signed, trusted()) as model:
        swap(signed, signed / "sub" / "w.bin")
        with pytest.raises(RingfenceError):
            model.memfd("sub/w.bin")
        with pytest.raises(RingfenceError):
            list(model.stream("sub/w.bin"))


@pytest.mark.parametrize("swap", SWAPS)
def test_a_swap_while_reading_hands_out_the_signed_bytes_or_no_end(signed, swap):
    data = FILES["sub/w.bin"]
    with verified(signed, trusted()) as model:
        stream, got = model.stream("sub/w.bin"), b""
        try:
            got += next(stream)  # the second chunk was read by now, the third was not
            swap(signed, signed / "sub" / "w.bin")
            for part in stream:
                got += part
        except RingfenceError:
            assert len(got) < len(data)
        else:
            assert got == data
        assert data.startswith(got)


def test_the_end_comes_only_once_all_of_it_matches(signed):
    path = signed / "sub" / "w.bin"
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])  # the first byte is wrong, the rest is not
    with verified(signed, trusted()) as model:
        got = 0
        with pytest.raises(VerificationFailed):  # noqa: PT012
            for part in model.stream("sub/w.bin"):
                got += len(part)
        assert got == 2 * CHUNK < len(data)


def test_a_link_to_the_very_same_bytes_is_refused_too(signed):
    with verified(signed, trusted()) as model:
        copy = signed.parent / "copy"
        copy.write_bytes(FILES["config.json"])
        (signed / "config.json").unlink()
        (signed / "config.json").symlink_to(copy)
        with pytest.raises(UsageError, match="symbolic link"):
            model.memfd("config.json")


@pytest.mark.parametrize("swap", SWAPS)
def test_what_was_sealed_stays_whatever_happens_to_the_file(signed, swap):
    with verified(signed, trusted()) as model:
        descriptor = model.memfd("sub/w.bin")
        swap(signed, signed / "sub" / "w.bin")
        assert read_all(descriptor) == FILES["sub/w.bin"]


def test_a_folder_that_is_swapped_for_another_is_another(signed):
    with verified(signed, trusted()) as model:
        signed.rename(signed.parent / "moved")
        signed.mkdir()
        (signed / "config.json").write_bytes(EVIL)
        assert b"".join(model.stream("config.json")) == b"{}"


def test_nobody_writes_to_a_sealed_file(signed):
    with verified(signed, trusted()) as model:
        descriptor = model.memfd("sub/w.bin")
    for change in (
        lambda: os.write(descriptor, b"x"),
        lambda: os.ftruncate(descriptor, 1),
        lambda: os.ftruncate(descriptor, 2**24),
        lambda: os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_TRUNC),
    ):
        with pytest.raises(OSError, match=r"not permitted|denied|busy"):
            change()
    assert read_all(descriptor) == FILES["sub/w.bin"]


def test_a_file_with_holes_takes_no_memory_that_is_not_there(signed):
    os.truncate(signed / "sub" / "w.bin", 2**42)
    with verified(signed, trusted()) as model, pytest.raises(Unavailable, match="bytes of memory"):
        model.memfd("sub/w.bin")


def test_no_descriptor_is_left_behind(signed):
    def count():
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    before = count()
    (signed / "sub" / "w.bin").write_bytes(EVIL)
    with verified(signed, trusted()) as model:
        for name in ("sub/w.bin", "nothing"):
            with pytest.raises(VerificationFailed):
                model.memfd(name)
        stream = model.stream("sub/w.bin")
        next(stream)
        stream.close()
    assert count() == before


def test_a_file_that_changes_while_it_is_hashed_is_not_signed(folder):
    with model_folder(folder) as opened, opened.content("config.json") as content:
        (folder / "config.json").write_bytes(b"[]")
        with pytest.raises(Conflict, match="was changed while"):
            hash_of(content)


def test_stamps_spare_unchanged_files_when_signing(folder):
    kept = Stamps(lambda: 2**62)
    with model_folder(folder) as opened:
        first = opened.hashed(kept)
        lie = {name: (stamp, Digest.of(b"lie")) for name, (stamp, _) in kept.after.items()}
        assert opened.hashed(Stamps(lambda: 2**62, kept.after)) == first
        (folder / "config.json").write_bytes(b"[]")
        told = opened.hashed(Stamps(lambda: 2**62, lie))
    assert told["config.json"].digest == Digest.of(b"[]")
    assert {told[name].digest for name in FILES if name != "config.json"} == {Digest.of(b"lie")}  # not read


def test_verification_asks_no_stamp(signed):
    status = (signed / "config.json").stat()
    (signed / "config.json").write_bytes(b"[]")
    os.utime(signed / "config.json", ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(VerificationFailed):
        check(signed)


def test_one_file_can_be_looked_at(folder):
    with looked_at(folder / "config.json") as (names, opening), opening(names[0]) as content:
        assert (list(names), content.read(0, 10)) == (["config.json"], b"{}")
    os.link(folder / "config.json", folder.parent / "second")
    with looked_at(folder / "config.json") as (names, opening), opening(names[0]) as content:
        assert content.size == 2
    (folder.parent / "second").unlink()
    with looked_at(folder) as (names, opening), opening("sub/w.bin") as content:
        assert content.read(CHUNK, 3) == FILES["sub/w.bin"][CHUNK : CHUNK + 3]
        assert content.read(2**40, 3) == b""


@pytest.mark.soak
def test_files_are_counted_over_all_folders(folder):
    made = folder / "many"
    for number in range(4):
        (made / str(number)).mkdir(parents=True)
        (made / f"{number}.bin").write_bytes(b"")
    for number in range(MAX_FILES):
        os.link(made / f"{number % 4}.bin", made / str(number % 4) / str(number))
    with model_folder(folder) as opened, pytest.raises(UsageError, match="holds more than"):
        opened.names()

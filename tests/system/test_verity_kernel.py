"""fs-verity on a kernel that has it: our digests are its digests, and what it refuses is refused in our words.

A machine with the kernel of virtual nodes is started once, emulated, with a disk that can hold files so. Between two
looks the disk is changed from outside, as whoever owns the host, or steals the disk, can.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.artifacts.models import verity
from ringfence.artifacts.models.blobs import model_folder
from ringfence.artifacts.models.model import SIGNATURE
from ringfence.artifacts.models.store import sign_folder
from ringfence.testing import verity_guest, verity_machine
from ringfence.testing.models import key

pytestmark = pytest.mark.timeout(900)
BLOCK = 4096
BLOCKS = 40


def bytes_of(name: str, size: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


FILES = {
    "whole.bin": bytes_of("whole.bin", BLOCKS * BLOCK + 7),
    "data.bin": bytes_of("data.bin", BLOCKS * BLOCK),
    "tree.bin": bytes_of("tree.bin", BLOCKS * BLOCK),
    "root.bin": bytes_of("root.bin", 100),
    "forged.bin": bytes_of("forged.bin", 100),
}
FORGED = bytes_of("forged", 100)
KERNEL_REFUSES = "VerificationFailed: {!r} cannot be read whole: the kernel holds it by fs-verity"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def block(name: str, number: int) -> bytes:
    return FILES[name][number * BLOCK : (number + 1) * BLOCK].ljust(BLOCK, b"\0")


def change(disk: Path, was: bytes, becomes: bytes = b"") -> None:
    """Put other bytes where these are, which have to be there once; without them, flip the first bit."""
    data = disk.read_bytes()
    assert data.count(was) == 1
    with disk.open("r+b") as file:
        file.seek(data.index(was))
        file.write(becomes or bytes([was[0] ^ 1]))


def tamper(disk: Path) -> None:
    """Change a block, a hash of a block, the root hash; and a block with its root hash, so that they fit each other."""
    change(disk, block("data.bin", 11)[:64])
    change(disk, sha256(block("tree.bin", 7)))
    change(disk, sha256(block("root.bin", 0)))
    change(disk, FILES["forged.bin"], FORGED)
    change(disk, sha256(block("forged.bin", 0)), sha256(FORGED.ljust(BLOCK, b"\0")))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What the machine saw before and after the disk was changed."""
    if why := verity_machine.missing():
        pytest.skip(why)
    place = tmp_path_factory.mktemp("verity")
    model = place / "model"
    model.mkdir()
    for name, data in FILES.items():
        (model / name).write_bytes(data)
    with model_folder(model) as folder:
        sign_folder(folder, model, key())
    given = {f"model/{path.name}": path.read_bytes() for path in model.iterdir()}
    given["key.pem"] = key().public.pem.encode()
    disks = verity_machine.disks(place)
    with verity_machine.running(place, disks, given) as machine:
        before = machine.hear()
        assert machine.hear() == {"unmounted": True}
        tamper(disks["held"])
        machine.go_on()
        yield before, machine.hear()


def test_the_probe_tells_a_file_system_that_has_it_from_those_that_do_not(seen) -> None:
    before, _ = seen
    assert before["probed"] == {"held": True, "plain": False, "memory": False}
    assert before["plain"]["held"] is False
    assert before["plain"]["digest"] == ""


def test_the_kernel_measures_what_we_compute(seen) -> None:
    """For trees of no, one, two and three levels; the kernel was asked by a user without privileges."""
    before, _ = seen
    ours = {str(size): verity.digest_of(verity_guest.content(size)).hex() for size in verity_guest.SIZES}
    zeros = (bytes(min(2**20, verity_guest.SPARSE - at)) for at in range(0, verity_guest.SPARSE, 2**20))
    ours[str(verity_guest.SPARSE)] = verity.digest_of(zeros).hex()
    assert {name: found["digest"] for name, found in before["files"].items()} == ours
    assert all(found["held"] for found in before["files"].values())
    assert {found["mode"] for found in before["files"].values()} == {0o400}
    assert before["again"] is True, "a file that the kernel holds already is held"


def test_a_file_that_somebody_can_still_write_to_is_not_held(seen) -> None:
    before, _ = seen
    assert before["while open"] == {"held": False, "measured": False}


def test_nobody_writes_to_a_file_that_the_kernel_holds(seen) -> None:
    before, _ = seen
    assert before["owner"] == "EPERM EPERM"
    assert before["root"] == "EPERM EPERM"


def test_an_imported_model_is_held_and_loaded(seen) -> None:
    before, after = seen
    assert before["loaded"] == {name: sha256(data).hex() for name, data in FILES.items()}
    assert set(after["measured"]) == {*FILES, SIGNATURE}
    assert after["measured"]["whole.bin"] == verity.digest_of([FILES["whole.bin"]]).hex()


def test_a_block_that_was_changed_on_the_disk_is_not_loaded(seen) -> None:
    _, after = seen
    assert after["read"]["data.bin"] == "EIO"
    assert after["loaded"]["data.bin"].startswith(KERNEL_REFUSES.format("data.bin"))
    assert after["checked"]["data.bin"].startswith(KERNEL_REFUSES.format("data.bin"))


@pytest.mark.parametrize("name", ["tree.bin", "root.bin"])
def test_a_hash_that_was_changed_on_the_disk_is_found_as_well(seen, name) -> None:
    _, after = seen
    assert after["read"][name] == "EIO"
    assert after["loaded"][name].startswith(KERNEL_REFUSES.format(name))


def test_a_forgery_that_the_kernel_believes_is_not_what_was_signed(seen) -> None:
    """Whoever writes a file anew with its tree convinces the kernel; the signature is checked over the same bytes."""
    _, after = seen
    assert after["read"]["forged.bin"] == ""
    assert after["measured"]["forged.bin"] == verity.digest_of([FORGED]).hex()
    assert after["loaded"]["forged.bin"] == "VerificationFailed: 'forged.bin' does not hold the bytes that were signed"


def test_what_nobody_changed_is_loaded_as_before(seen) -> None:
    _, after = seen
    assert after["read"]["whole.bin"] == after["read"][SIGNATURE] == ""
    assert after["loaded"]["whole.bin"] == sha256(FILES["whole.bin"]).hex()

"""The emulator has no privilege, no network but the tap, and no device that was not asked for."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from ringfence import components
from ringfence.compute.providers import qemu
from ringfence.compute.providers.image import Image

MACHINE = qemu.Machine("ringfence-machine=tag/n-0123abcd", 256, 150, "ringfence.name=alpha", "tcg", 80_000)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    for name in ("kernel", "initrd", "image", "probe"):
        (tmp_path / name).write_bytes(name.encode())
    return Image(tmp_path / "kernel", tmp_path / "initrd", tmp_path / "image", tmp_path / "probe", "ab" * 32)


@pytest.fixture
def arguments(image: Image):
    handed = qemu.Handed()
    files = qemu.Files(tap=1001, initrd=1002, log=1003, console=1004, monitor=1005)
    yield qemu.arguments(MACHINE, image, files, handed, ["/roms"])
    for number in set(handed.descriptors) - {1001, 1002, 1003, 1004, 1005}:
        os.close(number)


def values(arguments: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(arguments) if name == option]


def test_nothing_is_there_by_default(arguments: list[str]) -> None:
    assert {"-nodefaults", "-no-user-config", "-no-reboot"} <= set(arguments)
    assert values(arguments, "-display") == ["none"]


def test_the_system_calls_are_filtered(arguments: list[str]) -> None:
    (sandbox,) = values(arguments, "-sandbox")
    refused = {"obsolete=deny", "elevateprivileges=deny", "spawn=deny", "resourcecontrol=deny"}
    assert set(sandbox.split(",")) == {"on", *refused}


def test_the_tap_is_the_only_network(arguments: list[str]) -> None:
    kinds = [value.split(",")[0] for value in values(arguments, "-netdev")]
    assert kinds == ["tap", "hubport", "hubport"]
    assert values(arguments, "-netdev")[0] == "tap,id=tap,fd=1001"
    assert not {"-nic", "-net", "-redir", "-smb"} & set(arguments)


def test_the_shared_image_cannot_be_written(arguments: list[str]) -> None:
    (disk,) = values(arguments, "-blockdev")
    assert "read-only=on" in disk.split(",")


def test_no_path_of_ours_is_named(arguments: list[str], tmp_path: Path) -> None:
    assert not [part for part in arguments if str(tmp_path) in part]


def test_the_processors_round_up(arguments: list[str]) -> None:
    assert values(arguments, "-smp") == ["2"]


def test_a_process_is_found_by_its_marker(arguments: list[str]) -> None:
    assert f"guest={MACHINE.marker}" in arguments


def measuring(image: Image, tmp_path: Path) -> list[str]:
    handed, firmware = qemu.Handed(), tmp_path / "code"
    firmware.write_bytes(b"code")
    more = qemu.Measuring(firmware, variables=1006, tpm=1007, words=1008)
    files = qemu.Files(tap=1001, initrd=1002, log=1003, console=1004, monitor=1005, measuring=more)
    assert files.own == set(range(1001, 1009))
    found = qemu.arguments(MACHINE, image, files, handed, ["/roms"])
    for number in set(handed.descriptors) - files.own:
        os.close(number)
    return found


def test_a_measured_machine_has_firmware_and_a_tpm_and_no_disk(image: Image, tmp_path: Path) -> None:
    found = measuring(image, tmp_path)
    assert values(found, "-machine") == [f"{qemu.MACHINE},pflash0=code,pflash1=variables"]
    assert values(found, "-tpmdev") == ["emulator,id=tpm0,chardev=tpm"]
    assert not [part for part in found if "virtio-blk" in part]
    code, variables = values(found, "-blockdev")
    assert "read-only=on" in code.split(",")
    assert "read-only=on" not in variables.split(",")
    assert values(found, "-fw_cfg") == [f"name={qemu.WORDS},file=/proc/self/fd/1008"]
    assert not [part for part in found if str(tmp_path) in part]


def test_a_plain_machine_has_neither(arguments: list[str]) -> None:
    assert not {"-tpmdev", "-fw_cfg"} & set(arguments)
    assert values(arguments, "-machine") == [qemu.MACHINE]


@pytest.mark.skipif(not components.present("setpriv"), reason="no setpriv here")
@pytest.mark.parametrize("uid", [80_000, None])
def test_privileges_are_given_up_before_it_begins(uid: int | None) -> None:
    command = qemu.confined(uid, "tcg")
    assert {"--net", "--ipc", "--uts", "--no-new-privs", "--bounding-set=-all"} <= set(command)
    assert ("--map-current-user" in command) is (uid is None)
    assert (f"--reuid={uid}" in command) is (uid is not None)
    assert uid is None or command.index(f"--reuid={uid}") > command.index("--net")


def test_content_is_held_in_memory_and_read_by_its_path() -> None:
    held = qemu.held(b"host key")
    try:
        assert Path(f"/proc/self/fd/{held}").read_bytes() == b"host key"
        assert not Path(f"/proc/self/fd/{held}").readlink().exists()
    finally:
        os.close(held)

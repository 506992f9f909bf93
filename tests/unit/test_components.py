"""Programs of others are found in the tree of one's own first, and a missing one is named with its package."""

import os
from pathlib import Path

import pytest

from ringfence import components
from ringfence.kernel.errors import Unavailable


def _program(root: Path, place: str, mode: int = 0o755) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_named_tree_comes_before_the_path(tmp_path: Path) -> None:
    tools, system = tmp_path / "tools", tmp_path / "system"
    mine = _program(tools, "usr/sbin/nft")
    _program(system, "nft")
    found = components.find("nft", environment={"RINGFENCE_TOOLS": str(tools), "PATH": str(system)})
    assert found.path == mine


def test_a_program_of_the_tree_gets_the_libraries_of_the_tree(tmp_path: Path) -> None:
    _program(tmp_path, "usr/sbin/nft")
    (tmp_path / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    found = components.find("nft", environment={"RINGFENCE_TOOLS": str(tmp_path)})
    assert found.environment["LD_LIBRARY_PATH"].split(os.pathsep)[0] == str(tmp_path / "usr/lib/x86_64-linux-gnu")


def test_a_program_of_the_system_gets_no_libraries_of_ours(tmp_path: Path) -> None:
    system = _program(tmp_path, "made-up-tool")
    found = components.find("made-up-tool", environment={"PATH": str(tmp_path)})
    assert (found.path, dict(found.environment)) == (system, {})


def test_a_file_that_cannot_be_started_is_no_program(tmp_path: Path) -> None:
    _program(tmp_path, "made-up-tool", mode=0o644)
    with pytest.raises(Unavailable):
        components.find("made-up-tool", environment={"PATH": str(tmp_path)})


@pytest.mark.parametrize("name", ["", "../bin/sh", "/bin/sh", "sub/nft"])
def test_a_path_is_no_name(name: str) -> None:
    with pytest.raises(Unavailable):
        components.find(name)
    assert not components.present(name)


def test_what_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    lost = {"RINGFENCE_TOOLS": str(tmp_path / "nowhere"), "PATH": ""}
    with pytest.raises(Unavailable, match="`made-up-tool` is missing: run `make setup`"):
        components.find("made-up-tool", environment=lost)
    assert components.PACKAGES["qemu-system-x86_64"] == "qemu-system-x86"


def test_a_relative_tree_yields_absolute_paths(tmp_path: Path) -> None:
    _program(tmp_path, "usr/bin/bwrap")
    relative = os.path.relpath(tmp_path)
    found = components.find("bwrap", environment={"RINGFENCE_TOOLS": relative})
    assert found.path.is_absolute()


def test_a_tree_without_an_image_has_no_machine_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_TOOLS", str(tmp_path))
    (tmp_path / "machine").mkdir()
    assert tmp_path / "machine" not in [
        root / "machine" for root in components.trees() if (root / "machine/image.json").is_file()
    ]
    (tmp_path / "machine/image.json").write_text("{}")
    assert components.machine_files() == tmp_path / "machine"

import pytest

from ringfence.fabric import tools
from ringfence.kernel.errors import Unavailable


@pytest.fixture
def tree(tmp_path, monkeypatch):
    program = tmp_path / "usr" / "sbin" / "nft"
    program.parent.mkdir(parents=True)
    (tmp_path / "usr" / "lib" / "x86_64-linux-gnu").mkdir(parents=True)
    program.write_text('#!/bin/sh\ncat\necho "$LD_LIBRARY_PATH" >&2\n[ "$1" != fail ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("RINGFENCE_TOOLS", str(tmp_path))
    return tmp_path


def test_a_named_tree_comes_first_with_its_libraries(tree):
    path, environment = tools.find("nft")
    assert path == str(tree / "usr" / "sbin" / "nft")
    assert str(tree / "usr" / "lib" / "x86_64-linux-gnu") in environment["LD_LIBRARY_PATH"].split(":")


@pytest.mark.usefixtures("tree")
def test_a_program_is_run_with_nothing_else_in_its_environment():
    assert tools.run("nft", "-f", "-", stdin="a script") == "a script"
    with pytest.raises(Unavailable, match=r"nft refused: .*x86_64-linux-gnu"):
        tools.run("nft", "fail")


def test_what_is_missing_is_named():
    with pytest.raises(Unavailable, match="no-such-program is not installed"):
        tools.find("no-such-program")


def test_what_cannot_be_executed_is_not_found(tree):
    (tree / "usr" / "sbin" / "nft").chmod(0o644)
    try:
        path, _ = tools.find("nft")
    except Unavailable:
        path = ""
    assert not path.startswith(str(tree))

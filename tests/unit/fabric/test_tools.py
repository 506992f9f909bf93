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


@pytest.mark.usefixtures("tree")
def test_a_program_is_run_with_nothing_else_in_its_environment():
    assert tools.run("nft", "-f", "-", stdin="a script") == "a script"
    with pytest.raises(Unavailable, match=r"nft refused: .*x86_64-linux-gnu"):
        tools.run("nft", "fail")

import pytest

from ringfence.compute.providers import firmware
from ringfence.kernel.errors import Unavailable


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in firmware.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setenv("RINGFENCE_TOOLS", str(tmp_path))
    return tmp_path


def test_code_and_variables_are_of_the_first_tree_that_has_both(tree):
    assert firmware.firmware_files() == tuple(tree / name for name in firmware.FILES)


@pytest.mark.parametrize("name", firmware.FILES)
def test_one_alone_is_not_taken(tree, name):
    (tree / name).unlink()
    try:
        found = firmware.firmware_files()
    except Unavailable:
        return  # neither the checkout nor the system has it
    assert tree not in found[0].parents

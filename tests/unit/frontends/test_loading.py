import gc
import sys

import pytest

from ringfence.frontends.loading import loaded


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that tells whether garbage was looked for while it was imported."""
    name = f"made_for_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("import gc\nlooked = gc.isenabled()\n", encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.fixture
def searching():
    was = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was else gc.disable)()


@pytest.mark.usefixtures("searching")
def test_nothing_looks_for_garbage_while_a_module_is_loaded_and_afterwards_it_does(module):
    before = gc.get_freeze_count()
    found = loaded(module)
    assert not found.looked
    assert gc.isenabled()
    assert gc.get_freeze_count() > before
    frozen = gc.get_freeze_count()
    assert loaded(module) is found
    assert gc.get_freeze_count() <= frozen, "what is there is not loaded again"


@pytest.mark.usefixtures("searching")
def test_a_module_that_cannot_be_imported_leaves_the_search_on():
    with pytest.raises(ModuleNotFoundError):
        loaded("ringfence.no_such_module")
    assert gc.isenabled()


@pytest.mark.usefixtures("searching")
def test_who_searches_for_no_garbage_is_left_at_that(module):
    gc.disable()
    assert not loaded(module).looked
    assert not gc.isenabled()

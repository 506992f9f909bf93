"""An index gives back what was printed, and no name that leads elsewhere."""

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.testing.backups import shelves
from ringfence.workloads.backups import model


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"kind":"model","name":"tiny"', '"kind":"model","name":"../up"'),
        lambda text: text.replace('"model.txt"', '"../../etc/passwd"'),
        lambda text: text.replace('"kind":"model"', '"kind":"home"'),
        lambda text: text.replace(":v1", ":v2"),
        lambda text: text[:-1],
        lambda text: text.replace('"things":[', '"things":[{},'),
    ],
)
def test_an_index_gives_no_name_that_leads_elsewhere(home, change):
    done = home.make()
    text = model.printed(done.index).decode()
    assert model.parse(text.encode(), source="index") == done.index
    assert change(text) != text
    with pytest.raises((MalformedInput, UsageError)):
        model.parse(change(text).encode(), source="index")

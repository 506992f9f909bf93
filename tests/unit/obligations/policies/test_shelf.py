import pytest

from ringfence.kernel.errors import NotFound
from ringfence.obligations import catalog, reading
from ringfence.obligations.policies import checking, shelf

CATALOG = catalog.load()


def test_the_file_fits_its_schema_and_every_type_has_one_template():
    reading.read(shelf.FILE)
    assert sorted(shelf.names()) == sorted(checking.types())


def test_an_unknown_template_is_not_found_and_the_known_ones_are_named():
    with pytest.raises(NotFound, match="logging"):
        shelf.template("cooking", CATALOG)


def test_titles_and_sentences():
    assert shelf.title("logging") == "Logging policy"
    assert shelf.title("ai-use") == "Use of AI"
    assert len(shelf.sentences("logging")) == 3
    assert shelf.sentences("cooking") == {}

from ringfence.obligations import catalog
from ringfence.obligations.comparing.model import Other
from ringfence.obligations.difference import told


def test_of_whole_rules_everything_is_told():
    rules = catalog.load()
    made = Other.whole("edition", rules, "a note")
    assert (made.told, made.catalog, made.note) == (told(rules), rules, "a note")

from pathlib import Path

from ringfence.obligations import catalog, reference

CATALOG = catalog.load()
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "controls.md"


def test_the_page_says_what_the_data_says():
    assert PAGE.read_text("utf-8") == reference.page(CATALOG), "docs/reference/controls.md: run `make reference`"


def test_the_page_names_every_control_rule_and_provision():
    text = reference.page(CATALOG)
    assert all(f"## {c.id} {c.title}" in text for c in CATALOG.controls)
    assert all(f"`{name}`" in text for name in CATALOG.requirements)
    assert all(f"| {o.act} {o.provision} |" in text for o in CATALOG.obligations.values())

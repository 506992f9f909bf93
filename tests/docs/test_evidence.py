"""The pages about evidence are what rules, forms and producers say; the schema of a form's predicate is the form."""

import json

import jsonschema

from ringfence.obligations.forms import shelf


def test_every_page_that_is_made_from_the_forms_is_up_to_date(reference, check):
    written = reference.evidence()
    assert len(written) == 1 + 2 * len(shelf.types())
    stale = [place.name for place, text in written.items() if not place.exists() or place.read_text() != text]
    check([f"{name}: run `make reference`" for name in stale])


def test_the_published_schema_is_the_form(root):
    for name in shelf.types():
        published = (root / "docs" / "specs" / "predicates" / f"{name}.schema.json").read_bytes()
        assert published == shelf.source(name)
        assert not jsonschema.Draft202012Validator(json.loads(published)).is_valid({"other": 1})

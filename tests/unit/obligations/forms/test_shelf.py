import json
from dataclasses import replace

import jsonschema
import pytest

from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.drafting import everything_wrong
from ringfence.obligations.forms.model import Known, Share, Span
from ringfence.testing import filled
from ringfence.testing.home import TENANT


def parse(document):
    return shelf.parse(json.dumps(document).encode(), source="lab.filled.schema.json")


def asking(**entry):
    document = filled.schema()
    document["properties"]["version"] |= entry
    return document


def test_every_form_that_ships_can_be_read_asked_and_filled():
    assert {"training.record", "policy.version_signed", "risk.assessment", "vendor.review"} <= shelf.types()
    for name in sorted(shelf.types()):
        form, filling = shelf.form(name), filled.filled(name)
        jsonschema.Draft202012Validator.check_schema(form.schema)
        assert form.schema["$id"] == f"urn:ringfence:{name}:v1:claims"
        known = (Known(f"{form.about.kind}/lab-1", filled.document().digest, 1),)
        wrong = everything_wrong(form, replace(filling, subject="lab-1"), TENANT, filled.DAY, known)
        assert wrong == () or "allOf" in form.schema, (name, wrong)  # there, what fits depends on other answers


def test_every_property_of_every_form_that_ships_has_to_be_answered():
    for name in shelf.types():
        schema = shelf.form(name).schema
        assert set(schema["required"]) == set(schema["properties"]), name


def test_what_follows_from_other_answers_is_known():
    form = filled.lab_form()
    assert form.question("coverage").computed == Share("completed", "required")
    assert form.question("lasted").computed == Span("heldOn", "endedOn")
    assert form.question("nothing") is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        asking(default="12"),
        asking(type="number"),
        asking(type="object"),
        {**filled.schema(), "additionalProperties": True},
        {**filled.schema(), "$defs": {}},
        {**filled.schema(), "required": ["elsewhere"]},
        filled.schema(kind="thing", claim="elsewhere"),
        filled.schema(kind="thing", digest="elsewhere"),
        filled.schema(kind="thing", other="x"),
        filled.schema(title="About what?"),
        asking(**{"x-days-between": {"from": "heldOn", "to": "elsewhere"}}),
    ],
)
def test_what_no_front_end_could_ask_is_no_form(document):
    with pytest.raises(MalformedInput, match=r"lab\.filled"):
        parse(document)


def test_a_detail_that_would_hide_the_salts_is_refused():
    document = filled.schema()
    document["x-ringfence"]["details"] = {"files": "Which?"}
    with pytest.raises(MalformedInput, match="no detail files"):
        parse(document)


@pytest.mark.parametrize("name", ["nothing.here", "../forms/training.record", ""])
def test_what_has_no_form_is_not_found(name):
    with pytest.raises(NotFound, match="ringfence record --list"):
        shelf.form(name)

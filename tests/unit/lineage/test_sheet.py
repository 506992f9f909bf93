"""Lineage as documents."""

import json

from ringfence.lineage import closing, lines, sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import digest_of, whole

NAMES = {"model/tuned": "fox", "dataset/books": "library"}


def document(tale, name="tuned", kind=Kind.MODEL):
    return sheet.shown(around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name))), NAMES)


def test_names_are_those_that_people_gave_as_far_as_they_are_known():
    labels = {thing["name"]: thing["label"] for thing in document(whole())["things"]}
    assert labels["model/tuned"] == "fox"
    assert labels["dataset/books"] == "library, epoch 1"
    assert labels["dataset/letters"] == "dataset/letters"
    assert labels["deployment/small"] == "small"


def test_the_roots_are_those_of_the_data_behind_it_alone():
    tale = whole()
    tale.seal("unrelated")
    roots = {root["plaintextRoot"]: root["statement"]["entry"] for root in document(tale)["roots"]}
    assert roots == {str(digest_of("plain books")): 0, str(digest_of("plain letters")): 1}


def test_a_document_is_plain_json_and_names_every_statement():
    found = document(whole())
    assert json.loads(json.dumps(found)) == found
    entries = {mark["entry"] for thing in found["things"] for mark in thing["statements"]}
    assert entries == set(range(9))
    assert found["closed"]


def test_a_survey_is_said_with_labels():
    tale = whole()
    tale.sign("orphan")
    lineage = Lineage.of(tale.tenant, tale.statements)
    found = sheet.surveyed(closing.survey(lineage), lineage, NAMES)
    assert (found["models"], found["deployments"], found["closed"], found["open"]) == (2, 1, 2, 1)
    assert [gap["label"] for gap in found["gaps"]] == ["model/orphan"]
    assert found["kinds"] == {"no-origin": 1}
    assert next(lines.surveyed(found)).startswith("2 of 3 closed")


def test_what_a_gate_is_shown():
    tale = whole()
    lineage = Lineage.of(tale.tenant, tale.statements)
    found = sheet.closure(closing.of_model(lineage, digest_of("tuned")))
    assert found == {
        "start": f"model:{digest_of('tuned').hex}",
        "closed": True,
        "gaps": [],
        "entries": [3],
        "ends": [f"model:{digest_of('base').hex}"],
    }

"""The reference walk, and the negative corpus: what foreign validators miss, and what nobody may miss."""

import copy
import json

import pytest

from ringfence.exports.evidence import files as evidence_files
from ringfence.exports.folder import documents
from ringfence.exports.kinds import Kind
from ringfence.exports.parts import written
from ringfence.exports.walk import walk
from ringfence.kernel.digest import Digest

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def whole(few):
    return {kind.file: written(found) for kind, found in documents(few).items()} | evidence_files(few)


@pytest.fixture(scope="module")
def ledger(facts):
    return {entry: logged.envelope.digest for entry, logged in facts.statements.items()}


def edited(whole, kind, change):
    document = copy.deepcopy(json.loads(whole[kind.file]))
    change(document[kind.value])
    return whole | {kind.file: written(document)}


def result(document):
    return document["results"][0]


def satisfied(document):
    return next(one for one in result(document)["findings"] if one["target"]["status"]["state"] == "satisfied")


def unmet(document):
    return next(one for one in result(document)["findings"] if one["target"]["status"]["state"] != "satisfied")


def dangling_observation(document):
    satisfied(document)["related-observations"][0]["observation-uuid"] = UNKNOWN


def no_evidence(document):
    del result(document)["observations"][0]["relevant-evidence"]


def empty_evidence(document):
    result(document)["observations"][0]["relevant-evidence"] = [{"description": "trust us"}]


def dead_evidence(document):
    result(document)["observations"][0]["relevant-evidence"][0]["href"] = f"#{UNKNOWN}"


def no_file(document):
    document["back-matter"]["resources"][0]["rlinks"][0]["href"] = "evidence/999999.json"


def no_zone(document):
    result(document)["start"] = "2026-11-22T01:00:00.000"


def no_zone_on_evidence(document):
    result(document)["observations"][0]["collected"] = "2026-11-22T01:00:00"


def same_uuid(document):
    first, second, *_ = result(document)["observations"]
    second["uuid"] = first["uuid"]


def no_uuid(document):
    result(document)["uuid"] = "result-1"


def bad_control(document):
    document["groups"][0]["controls"][0]["id"] = "NIS2.Art.21(2)(g)"


def unknown_obligation(document):
    document["groups"][-1]["controls"][0]["links"][0]["href"] = "#nis2-21.2.z"


def same_id(document):
    first, second, *_ = document["groups"][0]["controls"]
    second["id"] = first["id"]


def unknown_parameter(document):
    document["groups"][0]["controls"][0]["parts"][0]["prose"] = "every {{ insert: param, period }}"


def unselected(document):
    document["imports"][0]["include-controls"][0]["with-ids"].append("nis2-99")


def other_catalogue(document):
    document["imports"][0]["href"] = "elsewhere.json"


def painted(document):
    status = unmet(document)["target"]["status"]
    status["state"] = "satisfied"


def painted_twice(document):
    found = next(one for one in result(document)["findings"] if "related-observations" not in one)
    found["target"]["status"]["state"] = "satisfied"
    found["props"][0]["value"] = "satisfied"


def rests_on_what_does_not_count(document):
    for one in satisfied(document)["related-observations"]:
        one["remarks"] = "does not count: its key was revoked"


def other_digest(document):
    for one in result(document)["observations"][0]["props"]:
        if one["name"] == "envelope-digest":
            one["value"] = str(Digest.of(b"another"))


def other_entry(document):
    result(document)["observations"][0]["props"][0]["value"] = "4711"


def other_hash(document):
    document["back-matter"]["resources"][0]["rlinks"][0]["hashes"][0]["value"] = "0" * 64


def other_version(document):
    document["metadata"]["oscal-version"] = "1.0.0"


def no_finding(document):
    document["poam-items"][0]["related-findings"][0]["finding-uuid"] = UNKNOWN


def no_component(document):
    document["control-implementation"]["implemented-requirements"][0]["by-components"][0]["component-uuid"] = UNKNOWN


def no_objective(document):
    selected = document["reviewed-controls"]["control-objective-selections"][0]
    selected["include-objectives"][0]["objective-id"] = "gov-01.made-up_obj"


CORPUS = [
    (Kind.RESULTS, dangling_observation, "leads to none of the observations"),
    (Kind.RESULTS, no_evidence, "refers to no evidence"),
    (Kind.RESULTS, empty_evidence, "refers to no evidence"),
    (Kind.RESULTS, dead_evidence, "leads nowhere"),
    (Kind.RESULTS, no_file, "leads nowhere"),
    (Kind.RESULTS, no_zone, "no time with a zone"),
    (Kind.RESULTS, no_zone_on_evidence, "no time with a zone"),
    (Kind.RESULTS, same_uuid, "stands 2 times"),
    (Kind.RESULTS, no_uuid, "no UUID"),
    (Kind.CATALOG, bad_control, "no token"),
    (Kind.CATALOG, unknown_obligation, "leads nowhere"),
    (Kind.CATALOG, same_id, "stands 2 times"),
    (Kind.CATALOG, unknown_parameter, "is none of the params"),
    (Kind.PROFILE, unselected, "is none of the controls"),
    (Kind.PROFILE, other_catalogue, "leads nowhere"),
    (Kind.RESULTS, painted, "computed was"),
    (Kind.RESULTS, painted_twice, "no observation that counts"),
    (Kind.RESULTS, rests_on_what_does_not_count, "no observation that counts"),
    (Kind.RESULTS, other_digest, "of the log does not hold"),
    (Kind.RESULTS, other_entry, "of the log does not hold"),
    (Kind.RESULTS, other_hash, "another digest"),
    (Kind.RESULTS, other_version, "oscal-version"),
    (Kind.GAPS, no_finding, "leads to none of the findings"),
    (Kind.SYSTEM, no_component, "leads to none of the components"),
    (Kind.PLAN, no_objective, "is none of the parts"),
]


def test_what_was_exported_holds_together(whole, ledger):
    assert walk(whole, ledger) == []
    assert walk(whole) == []


@pytest.mark.parametrize(("kind", "change", "says"), CORPUS, ids=[change.__name__ for _, change, _ in CORPUS])
def test_the_negative_corpus_is_caught(kind, change, says, whole, ledger):
    found = walk(edited(whole, kind, change), ledger)
    assert any(says in one and one.startswith((kind.file, "UUID", "id")) for one in found), found[:5]
    assert any("changed after" in one for one in found)  # and the UUID of the document is no longer its own


def test_a_changed_envelope_is_caught(whole):
    name = next(name for name in whole if name.startswith("evidence/"))
    found = walk(whole | {name: whole[name].replace(b'"payload":"', b'"payload":"AA', 1)})
    assert any("another digest" in one for one in found)


def test_a_file_that_is_no_envelope_is_caught(whole):
    name = next(name for name in whole if name.startswith("evidence/"))
    assert any("no signed envelope" in one for one in walk(whole | {name: b"{}"}))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"catalog": []}', b'{"catalog": {}, "profile": {}}', b"\xff"])
def test_a_file_that_is_no_document_is_said(whole, data):
    assert any(one.startswith(Kind.CATALOG.file) for one in walk(whole | {Kind.CATALOG.file: data}))


@pytest.mark.parametrize("junk", [None, 7, [], {}, [[]], [{"uuid": 1}], "x"])
def test_members_of_another_kind_are_complaints_and_no_errors(whole, junk):
    def everywhere(value):
        if isinstance(value, dict):
            return {
                name: junk if name in ("props", "uuid", "href", "status", "hashes") else everywhere(one)
                for name, one in value.items()
            }
        return [everywhere(one) for one in value] if isinstance(value, list) else value

    document = everywhere(json.loads(whole[Kind.RESULTS.file]))
    assert walk(whole | {Kind.RESULTS.file: written(document)})
    references = json.loads(whole[Kind.RESULTS.file])
    result(references["assessment-results"])["findings"][0]["related-observations"] = junk
    result(references["assessment-results"])["reviewed-controls"] = {"control-id": junk, "with-ids": junk}
    assert walk(whole | {Kind.RESULTS.file: written(references)})

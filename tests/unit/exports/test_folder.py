"""Whole exports: what compliance-trestle says of them, the round trip, and that they follow from the status alone.

compliance-trestle is imported without ado: where it is missing these tests are red, never skipped.
"""

import argparse
import json
import re
from contextlib import chdir
from dataclasses import replace
from datetime import datetime

import pytest
import trestle
from trestle.core.validator_factory import validator_factory
from trestle.oscal import OSCAL_VERSION as THEIRS
from trestle.oscal.assessment_plan import AssessmentPlan
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.catalog import Catalog
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.mapping import MappingCollection
from trestle.oscal.poam import PlanOfActionAndMilestones
from trestle.oscal.profile import Profile
from trestle.oscal.ssp import SystemSecurityPlan

from ringfence.exports.folder import documents, folder
from ringfence.exports.kinds import Kind
from ringfence.exports.model import Leaving, Scored
from ringfence.exports.parts import OSCAL_VERSION, written
from ringfence.kernel.errors import InternalError

FOREIGN = {
    Kind.CATALOG: Catalog,
    Kind.PROFILE: Profile,
    Kind.COMPONENTS: ComponentDefinition,
    Kind.SYSTEM: SystemSecurityPlan,
    Kind.PLAN: AssessmentPlan,
    Kind.RESULTS: AssessmentResults,
    Kind.MAPPING: MappingCollection,
    Kind.GAPS: PlanOfActionAndMilestones,
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


@pytest.fixture(scope="module")
def facts(facts):
    """The status of every kind, with risks: treated by a day, accepted for a time, closed, and not looked at yet."""
    first, second, *_ = sorted(facts.statements)
    rated, left, day = Scored(4, 5, 20, "severe"), Scored(2, 3, 6, "moderate"), facts.board.as_of.date()
    bare = Leaving("risk-00000000000a", True, rated, ("MOD-01",), ("T01",), day, (first,))
    treated = replace(
        bare, id="risk-00000000000b", treatment="reduce", residual=left, due_on=day, entries=(first, second)
    )
    accepted = replace(treated, id="risk-00000000000c", accepted_until=day)
    closed = replace(treated, id="risk-00000000000d", open=False, done=True)
    return replace(facts, risks=(bare, treated, accepted, closed))


@pytest.fixture(scope="module")
def files(facts):
    return folder(facts)


def read_by_trestle(kind, data, folder_):
    path = folder_ / kind.file
    path.write_bytes(data)
    return FOREIGN[kind].oscal_read(path)


def as_instants(value):
    """Spell every time in one way: trestle writes +00:00 for Z and leaves out milliseconds that are none."""
    if isinstance(value, dict):
        return {name: as_instants(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_instants(one) for one in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        return datetime.fromisoformat(value).isoformat()
    return value


def test_the_validator_is_the_one_that_was_pinned_and_knows_the_version():
    assert trestle.__version__ == "5.2.0"
    assert THEIRS == OSCAL_VERSION


@pytest.mark.parametrize("kind", Kind)
def test_trestle_finds_each_model_valid(kind, files, tmp_path):
    """All of its validators; of the system it resolves profile and catalogue, as they lie beside it."""
    (tmp_path / ".trestle").mkdir()
    for name in (Kind.CATALOG.file, Kind.PROFILE.file):
        (tmp_path / name).write_bytes(files[name])
    validator = validator_factory.get(argparse.Namespace(mode="all"))
    model = read_by_trestle(kind, files[kind.file], tmp_path)
    with chdir(tmp_path):  # where it looks for what a document imports
        assert validator.model_is_valid(model, True, tmp_path)


@pytest.mark.parametrize("kind", Kind)
def test_what_trestle_reads_and_writes_is_what_was_exported(kind, files, tmp_path):
    once = read_by_trestle(kind, files[kind.file], tmp_path).oscal_serialize_json()
    assert as_instants(json.loads(once)) == as_instants(json.loads(files[kind.file]))
    assert read_by_trestle(kind, once.encode(), tmp_path).oscal_serialize_json() == once


def test_risks_survive_the_round_trip(facts, files, tmp_path):
    read = read_by_trestle(Kind.RESULTS, files[Kind.RESULTS.file], tmp_path)
    found = {one.title.removeprefix("Risk "): one for one in read.results[0].risks}
    assert [one.id for one in facts.risks] == list(found)
    assert [one.status.root.root for one in found.values()] == ["open", "open", "deviation-approved", "closed"]
    assert [facet.value for facet in found["risk-00000000000a"].characterizations[0].facets] == ["4", "5", "20"]
    planned = read_by_trestle(Kind.GAPS, files[Kind.GAPS.file], tmp_path)
    assert len(planned.risks) == 3
    known = {one.uuid for one in planned.risks}
    assert {ref.risk_uuid for item in planned.poam_items for ref in item.related_risks or ()} == known


def test_trestle_sees_a_wrong_document(files, tmp_path):
    broken = files[Kind.RESULTS.file].replace(b'"state": "not-satisfied"', b'"state": "nearly"', 1)
    with pytest.raises(Exception, match="state"):
        read_by_trestle(Kind.RESULTS, broken, tmp_path)


def test_the_same_status_gives_the_same_bytes(facts, files):
    assert folder(facts) == files


def test_an_empty_tenant_has_a_whole_export_without_evidence(empty, tmp_path):
    made = folder(empty)
    assert set(made) == {kind.file for kind in Kind}
    for kind in Kind:
        read_by_trestle(kind, made[kind.file], tmp_path)
    assert b'"satisfied"' not in made[Kind.RESULTS.file]


def test_an_export_that_does_not_hold_together_does_not_leave(facts, exchanged):
    with pytest.raises(InternalError, match="would not hold together"):
        folder(exchanged(facts))


@pytest.fixture
def exchanged():
    """Return facts in which one statement is another than the board was computed from, as a broken reader might."""

    def exchange(facts):
        first, second, *_ = sorted(facts.statements)
        wrong = {**facts.statements, first: facts.statements[second]}
        return replace(facts, statements=wrong)

    return exchange


def test_documents_are_written_as_text_that_people_can_read(facts):
    data = written(documents(facts)[Kind.PROFILE])
    assert data.endswith(b"}\n")
    assert data.count(b"\n") > 100


def test_an_entity_out_of_scope_has_a_whole_export_too(outside, facts, tmp_path):
    made = folder(outside)
    assert len(outside.assessed) < len(facts.assessed)
    for kind in Kind:
        read_by_trestle(kind, made[kind.file], tmp_path)


def test_demo_data_bear_a_mark_in_every_document(facts):
    demo = replace(facts, board=replace(facts.board, demo=True))
    for kind, found in documents(demo).items():
        metadata = found[kind.value]["metadata"]
        assert metadata["title"].startswith("DEMO DATA: ")
        assert {"name": "demo", "ns": "urn:ringfence:oscal:v1", "value": "true"} in metadata["props"]

"""Rows of incidents on the fake and on the database; and whatever incidents state fits the published schemas."""

import json
from contextlib import nullcontext
from pathlib import Path

import jsonschema
import pytest

from ringfence.incidents import acts
from ringfence.incidents.model import Answer, Fact, FactKind, IncidentId
from ringfence.incidents.store import IncidentTable
from ringfence.kernel.digest import Digest
from ringfence.testing.incidents import SECURITY, TENANT, ContractOfRows, LabIncidents, MemoryRows

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"


class TestMemory(ContractOfRows):
    @pytest.fixture
    def rows(self):
        return MemoryRows()

    @pytest.fixture
    def transaction(self):
        return nullcontext


@pytest.mark.databases
class TestDatabase(ContractOfRows):
    @pytest.fixture
    def rows(self, database):
        return IncidentTable(database)

    @pytest.fixture
    def transaction(self, database):
        return database.transaction


@pytest.fixture(scope="module")
def stated():
    """Everything that incidents can state, once."""
    lab = LabIncidents()
    name = lab.detect("ssh-guessing-then-success")
    lab.detect("flow-denied-scan")
    lab.watch.note(TENANT, Fact(FactKind.ISOLATED, lab.clock.now(), "n-00000001", customer_facing=True))
    breach = {"personal_data": Answer.YES, "breached": ("cars",)}
    lab.triage(name, measured={"minutesUnavailable": 3}, occurred_at=lab.clock.now(), **breach)
    lab.file(name, "nis2.early_warning")
    filed = {"reference": "1", "salt": "0" * 64}
    for about in (acts.NOTICE, acts.BREACH_NOTICE):
        lab.post(name, acts.noticed(lab.seen(name), "cars", lab.clock.now(), Digest.of(b""), filed, about=about))
    declared = acts.declared(IncidentId("i-0123abcd"), lab.clock.now(), "n-00000009", "somebody called")
    other, _ = lab.service.declare(SECURITY, *lab.log.signed(declared))
    scan = lab.room(name).incident.findings[1].id
    for what, given in (
        ("contact", {"value": "Dana"}),
        ("aware-at", {"value": "2026-11-22T08:59:00.000Z"}),
        ("split", {"findings": (scan,)}),
        ("merge", {"other": other}),
    ):
        lab.post(name, acts.corrected(lab.seen(name), what, reason="checked", **given))
    lab.service.drafted(TENANT, name)
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "restored"))
    from datetime import timedelta

    lab.clock.advance(timedelta(hours=13))
    lab.watch.sweep(TENANT)
    return [envelope.statement for envelope, _ in lab.log.kept]


def validator(predicate):
    schema = json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def test_everything_that_is_stated_fits_its_schema(stated):
    kinds = {"opened", "extended", "triage", "corrected", "report", "closed", "draft"}
    kinds |= {"customer_notice", "breach_notice"}
    assert {statement.predicate for statement in stated} == {f"incident.{kind}" for kind in kinds}
    for statement in stated:
        validator(statement.predicate).validate(dict(statement.claims))
        assert not validator(statement.predicate).is_valid(dict(statement.claims) | {"name": "Dana"})


def test_no_address_no_name_and_no_reason_stands_in_an_envelope(stated):
    for statement in stated:
        for personal in ("203.0.113.7", "Dana", "somebody called", "looked at it", "AB-1"):
            assert personal not in json.dumps(dict(statement.claims))

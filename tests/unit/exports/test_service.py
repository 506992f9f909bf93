"""The use case: one tenant, one time."""

import json
from datetime import timedelta

import pytest

from ringfence.exports.kinds import Kind
from ringfence.exports.service import Exports
from ringfence.kernel.errors import UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.obligations import catalog
from ringfence.obligations.service import Status
from ringfence.testing.clock import FakeClock


class OfLab:
    """Fulfils both ports called `Evidence`, of the status and of exports, from a lab log."""

    def __init__(self, log):
        self.log = log

    def statements(self, tenant, predicates=None, *, at=None):
        wanted = None if predicates is None else set(predicates)
        return [
            one
            for one in self.log.statements(tenant)
            if one.envelope.statement.issuance.tenant == tenant
            and (wanted is None or one.envelope.statement.predicate in wanted)
            and (at is None or one.recorded_at <= at)
        ]

    def page(self, tenant, *, before=None, limit=50, predicates=None, at=None):
        found = self.statements(tenant, predicates, at=at)
        return [one for one in reversed(found) if before is None or one.entry < before][:limit]


class NoRisks:
    """Fulfils the port `Register`: nobody entered a risk."""

    def all(self, *_):
        return []


@pytest.fixture(scope="module")
def service(told):
    clock, evidence, known = FakeClock(told.now), OfLab(told), catalog.load()
    return Exports(known, Status(evidence, known, clock, lambda _: False), evidence, told.origin, clock, NoRisks())


def test_an_export_is_of_the_time_that_was_asked_for(service, told):
    earlier = told.now - timedelta(days=20)
    document = json.loads(service.oscal(told.tenant, earlier)[Kind.RESULTS.file])
    (result,) = document["assessment-results"]["results"]
    assert result["end"].startswith(earlier.isoformat()[:19])
    assert all(one["collected"] < result["end"] for one in result["observations"])


def test_a_time_to_come_is_refused(service, told):
    with pytest.raises(UsageError, match="cannot be made yet"):
        service.oscal(told.tenant, told.now + timedelta(seconds=1))


def test_another_tenant_sees_nothing_of_the_first(service, told):
    files = service.oscal(Tenant("other"))
    assert not [name for name in files if name.startswith("evidence/")]
    assert not [name for name, data in files.items() if str(told.tenant).encode() in data.split(b'"groups"')[0]]


def test_tables_say_what_they_are_about(service, told):
    for document, rows in ((service.applicability(told.tenant), "controls"), (service.lines(told.tenant), "lines")):
        assert document["tenant"] == told.tenant
        assert document["rules"] == str(catalog.load().digest)
        assert document[rows]

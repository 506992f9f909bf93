import pytest

from ringfence.kernel.errors import NotFound
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, domains, sheet
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State
from ringfence.testing.console import sample
from ringfence.testing.obligations import Story

CATALOG = catalog.load()


def computed(story):
    return board.compute(CATALOG, Records.of(story.tenant, story.statements), story.now)


def bare(found):
    return {result.control.id for result in found.controls if domains.without_evidence(result)}


def test_the_names_are_those_of_the_catalogue_in_its_order():
    found = {domains.of(control.id): control.domain for control in CATALOG.controls}
    assert list(found.items()) == list(domains.NAMES.items())
    assert [domain.lower() for domain in domains.NAMES] == list(catalog.DOMAINS)


def test_another_domain_is_refused_with_those_that_there_are():
    assert domains.named("DAT") == "Dataset integrity"
    with pytest.raises(NotFound, match="there is no domain 'XXX'; there are GOV, RSK"):
        domains.named("XXX")


def test_grouping_loses_no_control():
    found = computed(Story())
    groups = domains.by_domain(found.controls)
    assert list(groups) == list(domains.NAMES)
    assert [result for group in groups.values() for result in group] == list(found.controls)


def test_without_a_statement_every_open_control_has_no_evidence():
    found = computed(Story())
    open_ = {result.control.id for result in found.controls if result.verdict.state is State.NOT_SATISFIED}
    assert bare(found) == open_
    assert all(domains.quiet(result) for result in found.controls)


def test_evidence_that_fails_or_does_not_count_is_evidence():
    story = Story()
    story.add("key.lifecycle", {"unprotected": 3}, role=KeyRole.CONTROL_PLANE)
    story.add("access.register", {}, role=KeyRole.CONTROL_PLANE, standing=Standing.UNKNOWN)
    found = bare(computed(story))
    assert "SEC-04" not in found
    assert "IAM-01" not in found
    assert "GOV-01" in found


def test_what_a_population_rests_on_is_no_evidence_of_its_members():
    story = Story()
    story.add("dataset.sealed", {}, subject="dataset/a", role=KeyRole.OPERATOR)
    found = computed(story)
    result = next(one for one in found.controls if one.control.id == "DAT-02")
    assert result.entries
    assert result.verdict.reason is Reason.MISSING
    assert domains.without_evidence(result)


@pytest.mark.parametrize("lab", [sample(), sample(demo=True)])
def test_a_document_tells_the_same_as_the_result(lab):
    found = lab.board(lab.log.tenant)
    told = {one["id"] for one in sheet.document(found)["controls"] if domains.document_without_evidence(one)}
    assert told == bare(found)
    assert 80 < len(told) < len(found.controls) - 5


def test_documents_are_counted_by_domain():
    assert domains.counted([{"id": "DAT-01"}, {"id": "GOV-02"}, {"id": "DAT-03"}]) == {"DAT": 2, "GOV": 1}

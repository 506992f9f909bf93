import pytest

from ringfence.incidents import catalog
from ringfence.incidents.terms import Anchor, Period, Unit
from ringfence.kernel.errors import MalformedInput

SMALL = """
meta: {status_date: '2026-11-22'}
regimes:
- {id: x, act: A, addressee: B, awareness_rule: C, stages: [
   {id: x.one, stage: S, ref: '1', deadline: {value: 4, unit: hours}, counted_from: awareness, content: [],
    source: verified}]}
field_model: [{field: incident_id, meaning: M, stages: [EW]}]
"""


@pytest.fixture(scope="module")
def stages():
    return {stage.id: stage for regime in catalog.load().regimes.values() for stage in regime.stages}


def test_every_regime_is_read_not_only_the_first():
    assert {"nis2", "gdpr", "dora", "cra_incident", "contract"} <= catalog.load().regimes.keys()
    assert len(catalog.load().form) > 30


@pytest.mark.parametrize(
    ("stage", "period", "anchor", "after"),
    [
        ("nis2.early_warning", Period(24, Unit.HOURS), Anchor.AWARENESS, ""),
        ("nis2.notification", Period(72, Unit.HOURS), Anchor.AWARENESS, ""),
        ("nis2.final", Period(1, Unit.MONTHS), Anchor.SUBMISSION, "nis2.notification"),
        ("nis2.progress", Period(1, Unit.MONTHS), Anchor.SUBMISSION, "nis2.notification"),
        ("nis2.final_after_handling", Period(1, Unit.MONTHS), Anchor.HANDLED, ""),
        ("nis2.intermediate", None, Anchor.NONE, ""),
        ("cra.vuln.final", Period(14, Unit.DAYS), Anchor.MEASURE, ""),
        ("dora.initial", Period(4, Unit.HOURS), Anchor.CLASSIFICATION, ""),
        ("dora.intermediate", Period(72, Unit.HOURS), Anchor.SUBMISSION, "dora.initial"),
        ("contract.customer_notice", Period(12, Unit.HOURS), Anchor.AWARENESS, ""),
    ],
)
def test_each_stage_has_its_own_start(stages, stage, period, anchor, after):
    found = stages[stage]
    assert (found.period, found.anchor, found.after) == (period, anchor, after)


def test_what_is_no_law_is_marked(stages):
    assert stages["contract.customer_notice"].source == "project"
    assert stages["nis2.early_warning"].source == "verified"


def test_a_small_catalogue_is_read():
    assert catalog.parse(SMALL.encode()).regimes["x"].stages[0].period == Period(4, Unit.HOURS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("counted_from: awareness", "counted_from: the first coffee", "counts from"),
        ("unit: hours", "unit: weeks", "period"),
        ("value: 4", "value: true", "period"),
        ("value: 4", "value: 0", "period"),
        ("value: 4", "value: 4.5", "period"),
        ("source: verified", "source: hearsay", "source mark"),
        ("counted_from: awareness", "counted_from: submission of the initial notification", "follows"),
        ("stages: [EW]", "stages: [XX]", "stage"),
        ("act: A,", "", "missing"),
        ("meta: {status_date: '2026-11-22'}", "meta: {status_date: '2026-11-22', status_date: x}", "twice"),
        ("meta: {status_date: '2026-11-22'}", "meta: []", "missing or of the wrong kind"),
        ("regimes:", "regimes: *a\nx:", "not YAML"),
        ("field_model: [", "field_model: [{field: incident_id, meaning: M, stages: [EW]}, ", "twice"),
    ],
)
def test_whatever_is_not_understood_is_refused_by_name(old, new, message):
    assert old in SMALL
    with pytest.raises(MalformedInput, match=message):
        catalog.parse(SMALL.replace(old, new).encode())

"""Preview, sign, issue: what is exported is what was signed, or nothing is recorded."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, NotFound, UsageError
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.reports.service import Packs, draft_of
from ringfence.reports.verify import verify
from ringfence.testing.ledger import PERSON, TENANT, LabLog

CALLER = Person(PERSON, TENANT, Role.OWNER)


@dataclass
class Desk:
    """Recorder, publication and clock over a log in memory."""

    log: LabLog
    open: bool = False
    admitted: list = field(default_factory=list)

    @contextmanager
    def transaction(self):
        self.open = True
        yield
        self.open = False

    def now(self):
        return self.log.now

    def admit(self, envelope, opening, *, by):
        assert self.open
        assert by == CALLER
        self.admitted.append(envelope)
        self.log.advance(milliseconds=1)
        entry = self.log.append(envelope, opening).entry
        return Acknowledgement(envelope.digest, envelope.statement.issuance.sequence, Stage.SEQUENCED, entry)

    def published(self, envelope):
        entry = next(i for i, (_, e, _) in enumerate(self.log.entries) if e.digest == envelope)
        return Acknowledgement(envelope, 1, Stage.PUBLISHED, entry)


def count_records(statements, tenant, at):
    return {"tenant": tenant, "at": str(at), "counted": len(statements), "rules": "sha256:00"}


def of_no_control(controls):
    raise NotFound(f"there is no control {controls[0]!r}")


@pytest.fixture
def desk(log):
    return Desk(log)


@pytest.fixture
def packs(log, desk):
    return Packs(log, count_records, log.trust(heads=()), of_no_control, desk, desk, desk.transaction, desk)


def signed(log, preview):
    draft = draft_of(preview.to_json())
    return log.sign(draft.predicate, draft.claims, subjects=draft.subjects)[0]


def test_a_signed_preview_becomes_a_pack_that_verifies(log, packs):
    preview = packs.preview(TENANT)
    assert (preview.records, preview.size, preview.status["counted"]) == (7, 7, 7)
    outcome = verify(packs.issue(signed(log, preview), None, by=CALLER), log.trust())
    assert outcome.ok, outcome.failures
    assert outcome.status == preview.status
    assert outcome.header.records == 8


def test_statements_that_arrive_while_it_is_signed_are_records_but_not_in_the_status(log, packs):
    preview = packs.preview(TENANT)
    log.advance(seconds=1)
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    outcome = verify(packs.issue(signed(log, preview), None, by=CALLER), log.trust())
    assert outcome.ok, outcome.failures
    assert (outcome.checked, outcome.status["counted"]) == (9, 7)


def test_as_of_an_earlier_time_holds_all_records_and_the_status_of_then(log, packs):
    preview = packs.preview(TENANT, log.now - timedelta(minutes=2))
    outcome = verify(packs.issue(signed(log, preview), None, by=CALLER), log.trust())
    assert outcome.ok, outcome.failures
    assert outcome.checked == 8
    assert outcome.status["counted"] < 7


@pytest.mark.parametrize(
    "change", [{"records": 6}, {"size": 6}, {"asOf": "2026-11-22T01:02:03.000Z"}, {"digest": "sha256:" + "00" * 32}]
)
def test_a_report_over_anything_else_is_refused_and_not_recorded(log, packs, desk, change):
    document = packs.preview(TENANT).to_json() | change
    draft = draft_of(document)
    envelope, _ = log.sign(draft.predicate, draft.claims, subjects=draft.subjects)
    with pytest.raises(Conflict, match="ask for the pack again"):
        packs.issue(envelope, None, by=CALLER)
    assert desk.admitted == []


@pytest.mark.parametrize("change", [{"size": 99}, {"asOf": "2030-11-22T01:02:03.000Z"}])
def test_a_report_of_the_future_is_refused(log, packs, change):
    draft = draft_of(packs.preview(TENANT).to_json() | change)
    envelope, _ = log.sign(draft.predicate, draft.claims, subjects=draft.subjects)
    with pytest.raises(UsageError):
        packs.issue(envelope, None, by=CALLER)


@pytest.mark.parametrize(
    ("predicate", "claims"),
    [
        ("dataset.sealed", {"asOf": "2026-11-22T01:02:03.000Z", "size": 1}),
        ("report.exported", {}),
        ("report.exported", {"asOf": "2026-11-22T01:02:03.000Z", "size": True}),
        ("report.exported", {"asOf": 1, "size": 1}),
    ],
)
def test_only_a_report_closes_a_pack(log, packs, predicate, claims):
    with pytest.raises(MalformedInput):
        packs.issue(log.sign(predicate, claims)[0], None, by=CALLER)


def test_the_future_cannot_be_previewed(log, packs):
    with pytest.raises(UsageError, match="cannot be made yet"):
        packs.preview(TENANT, log.now + timedelta(seconds=1))


def test_a_status_that_json_would_bend_is_an_error_of_ours(packs):
    bent = replace(packs, rules=lambda *_: {"controls": ("a",)})
    with pytest.raises(InternalError):
        bent.preview(TENANT)


def test_a_head_that_never_was_cannot_be_asked_for(log, packs):
    with pytest.raises(NotFound):
        packs.issue(signed(log, packs.preview(TENANT)), None, by=CALLER, sizes=[99])


def test_a_record_that_names_a_head_that_never_was_does_not_prevent_packs(log, packs):
    log.state("ledger.head_exported", {"size": 7, "root": "00" * 32, "destination": "file"})
    outcome = verify(packs.issue(signed(log, packs.preview(TENANT)), None, by=CALLER), log.trust())
    assert [failure.record for failure in outcome.failures] == [8]

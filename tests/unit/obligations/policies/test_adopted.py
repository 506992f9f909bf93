from datetime import date

import pytest

from ringfence.kernel.commitment import commit
from ringfence.obligations import catalog, sheet
from ringfence.obligations.board import compute
from ringfence.obligations.policies import adopted
from ringfence.obligations.policies.model import Stand
from ringfence.obligations.records import Records
from ringfence.testing.obligations import CONTROL_PLANE, MEMBER, OPERATOR, Story, meeting
from ringfence.testing.policies import DAY

CATALOG = catalog.load()
DOCUMENT = "sha256:" + "a" * 64
SIGNED = {
    "policy": "logging",
    "version": "1.0",
    "document": DOCUMENT,
    "approvedBy": "accountable-person",
    "nextReview": "2027-11-22",
    "observes": ["log-06"],
}


def policies(story, day=DAY):
    records = Records.of(story.tenant, story.statements)
    status = sheet.document(compute(CATALOG, records, story.now))
    return {one.name: one for one in adopted.policies(records, status, CATALOG, day)}


def signed(story, **claims):
    return story.add("policy.version_signed", SIGNED | claims, subject="policy/logging")


def heartbeat(story):
    rule = next(rule for rule in CATALOG.requirements.values() if rule.evidence == "log.heartbeat")
    story.add("log.heartbeat", meeting(rule), role=CONTROL_PLANE, subject="log/acme")


def test_without_a_signature_no_policy_is_in_force():
    found = policies(Story())
    assert {one.stand for one in found.values()} == {Stand.NONE}
    assert found["logging"].asked_by == ("gov-10.topics", "log-01.elsewhere")


def test_a_policy_is_in_force_while_what_it_says_is_so():
    story = Story()
    heartbeat(story)
    logged = signed(story)
    one = policies(story)["logging"]
    assert (one.stand, one.adopted.entry, one.adopted.version) == (Stand.IN_FORCE, logged.entry, "1.0")


def test_a_sentence_that_is_no_longer_true_contradicts_the_policy():
    story = Story()
    signed(story)
    one = policies(story)["logging"]
    assert one.stand is Stand.CONTRADICTED
    assert [each.name for each in one.adopted.contradicted] == ["log-06"]


def test_a_review_that_is_over_is_overdue():
    story = Story()
    heartbeat(story)
    signed(story)
    assert policies(story, date(2027, 11, 23))["logging"].stand is Stand.OVERDUE


def test_the_newest_version_is_the_one_in_force_and_an_untrusted_one_is_none():
    from ringfence.ledger.model import Standing

    story = Story()
    heartbeat(story)
    signed(story)
    signed(story, version="2.0")
    story.add("policy.version_signed", SIGNED | {"version": "3.0"}, subject="policy/logging", standing=Standing.REVOKED)
    assert policies(story)["logging"].adopted.version == "2.0"


COUNTED = meeting(CATALOG.requirements["gov-05.approval"])
VOTE = {"choice": "agree", "corrects": ""}


def resolution(story, outcome="approved", *, opened_by=OPERATOR, voted_by=OPERATOR, **claims):
    """A decision; of the body, where people opened the resolution and voted, else of a service alone."""
    put = COUNTED | {"members": [MEMBER], "files": [DOCUMENT], "records": []} | claims
    if opened_by:
        story.add("mgmt.resolution_opened", put, role=opened_by, subject="resolution/1")
    if voted_by:
        story.add("mgmt.vote", VOTE | {"opening": COUNTED["opening"]}, role=voted_by, subject="resolution/1")
    return story.add("mgmt.approval", COUNTED | {"outcome": outcome}, role=CONTROL_PLANE, subject="resolution/1")


@pytest.mark.parametrize(
    "by",
    [
        {"opened_by": None, "voted_by": None},
        {"opened_by": CONTROL_PLANE, "voted_by": CONTROL_PLANE},
        {"voted_by": None},
        {"voted_by": CONTROL_PLANE},
        {"opened_by": CONTROL_PLANE},
    ],
)
def test_what_a_service_says_that_the_body_decided_approves_nothing(by):
    story = Story()
    resolution(story, **by)
    signed(story, approvedBy="management-body")
    assert policies(story)["logging"].adopted.resolution is None
    assert adopted.carried(Records.of(story.tenant, story.statements), CATALOG) == ()


@pytest.mark.parametrize("outcome", ["rejected", "no-quorum", "approved-with-conditions"])
def test_only_a_decision_that_carried_approves(outcome):
    story = Story()
    signed(story, approvedBy="management-body")
    resolution(story, outcome)
    assert policies(story)["logging"].adopted.resolution is None


def test_the_decision_that_showed_this_document_is_named():
    story = Story()
    decision = resolution(story)
    signed(story, approvedBy="management-body")
    assert policies(story)["logging"].adopted.resolution == decision.entry


def test_a_decision_about_another_document_is_none_about_this():
    story = Story()
    resolution(story, files=["sha256:" + "b" * 64])
    signed(story, approvedBy="management-body")
    assert policies(story)["logging"].adopted.resolution is None


def test_the_salt_of_a_document_that_was_approved_leads_to_it():
    from dataclasses import replace

    story = Story()
    decision = resolution(story)
    details = {"files": [{"name": "logging.md", "salt": "ab" * 32, "digest": DOCUMENT}]}
    told = replace(story.statements[0], opening=commit(details, bytes(32)))
    records = Records.of(story.tenant, [told, *story.statements[1:]])
    (one,) = adopted.carried(records, CATALOG)
    assert (one.digest, one.salt, one.entry) == (DOCUMENT, "ab" * 32, decision.entry)
    (erased,) = adopted.carried(Records.of(story.tenant, story.statements), CATALOG)
    assert erased.salt == ""

"""An act of two people in a pack is one: both halves are there, and neither could have made the other up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import KeyRole, Subject
from ringfence.reports.extent import Extent
from ringfence.reports.pairs import unpaired
from ringfence.reports.verify import verify
from ringfence.testing.ledger import LabLog

ANNA, BEN = "person-00000000000a", "person-00000000000b"
ABOUT = {"node": "n-00000001", "number": 1}


@pytest.fixture
def log():
    log = LabLog()
    log.enrol_passkey("anna", by="root", person=ANNA)
    log.enrol_passkey("ben", by="root", person=BEN)
    log.advance(hours=25)
    return log


def released(log, asked="anna", agreed="ben", *, wait=timedelta(minutes=1), of=None, **changes):
    """Let two people ask and agree, and the control plane say what came of it; `changes` are of what it says."""
    request = log.state("quarantine.release_requested", ABOUT | {"before": "00"}, by=asked)
    log.now += wait
    about = request.envelope.statement.subjects
    named = {"request": str(request.envelope.digest)}
    approval = log.state("quarantine.release_approved", ABOUT | named, by=agreed, subjects=about)
    effect = ABOUT | named | {"approval": str(approval.envelope.digest), "bootstrap": False} | changes
    log.state("quarantine.released", effect, by="control", subjects=about if of is None else (of,))
    log.advance(minutes=1)
    return request, approval


def found(log, **pack):
    return [str(failure) for failure in unpaired(verify(log.pack(**pack), log.trust(heads=())))]


def test_two_people_are_two_people(log):
    released(log)
    assert found(log) == []


def test_one_person_with_two_passkeys_is_one(log):
    log.enrol_passkey("spare", by="anna", person=ANNA)
    log.advance(hours=25)
    released(log, agreed="spare")
    (said,) = found(log)
    assert said.startswith("entry 8 is said to be an act of two people")
    assert "another one has to look and sign" in said


def test_a_credential_of_today_is_not_silent(log):
    log.enrol_passkey("new", by="root", person="person-00000000000c")
    released(log, agreed="new")
    assert "younger than 24 hours" in found(log)[0]
    log = replace(log)
    released(log, agreed="new", bootstrap=True)
    assert len(found(log)) == 1  # who says so promises nothing


def test_a_half_that_nobody_signed_is_missed(log):
    released(log, approval="sha256:" + "ab" * 32)
    assert "its approval is not in the pack" in found(log)[0]


def test_a_half_of_another_kind_is_none(log):
    request, _ = released(log)
    released(log, approval=str(request.envelope.digest))
    assert "its approval is no quarantine.release_approved" in found(log)[0]


def test_an_approval_of_another_request_is_none(log):
    request, _ = released(log)
    released(log, request=str(request.envelope.digest))
    assert "approves another request" in found(log)[0]


def test_halves_about_something_else_are_not_its_own(log):
    released(log, of=Subject("node/n-00000002", Digest.of(b"another node")))
    assert "about something else" in found(log)[0]


def test_halves_belong_together_in_time(log):
    released(log, wait=timedelta(hours=24, seconds=1))
    assert "too long after it" in found(log)[0]


def test_a_key_of_the_installation_is_nobodys(log):
    log.enrol("second", KeyRole.OPERATOR)
    log.advance(hours=25)
    released(log, agreed="control")
    assert "signed by no person" in found(log)[0]


def test_halves_outside_the_scope_are_not_looked_for(log):
    released(log)
    extent = Extent("none", ("X-01",), ("quarantine.released",))
    assert found(log, extent=extent) == []

from dataclasses import replace

from ringfence.artifacts.models.console import row, served
from ringfence.artifacts.models.model import ModelId, Recorded, Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.artifacts import TENANT
from ringfence.testing.models import FakeControl

ONE = Digest.of(b"1")
MODEL = Recorded(ModelId("0" * 32), "tiny", ONE, ONE, 1, 1, "0" * 64, "", "file-plain", 3)


def log(*told):
    control = FakeControl()
    for predicate, claims in told:
        subject = (Subject("deployment/1", ONE),)
        envelope, opening = control.signed(Draft(PredicateName(predicate), subject, claims, Strength.OBSERVED))
        control.log.admit(envelope, opening, by=None)
    return control.log


STARTED = ("deployment.started", {"deployment": "chat", "digest": str(ONE)})


def test_a_model_serves_from_its_start_to_its_end():
    again = ("deployment.started", {"deployment": "other", "digest": str(ONE)})
    assert served(log(STARTED, again), TENANT) == {ONE: {"chat", "other"}}
    for end in ("deployment.stopped", "deployment.failed"):
        assert served(log(STARTED, (end, {"deployment": "chat"})), TENANT) == {}


def test_what_has_no_digest_or_no_trusted_key_is_not_shown():
    assert served(log(("deployment.started", {"deployment": "chat"}), ("deployment.started", {})), TENANT) == {}
    told = log(STARTED)
    told.entries = [replace(one, standing="unknown") for one in told.entries]
    assert served(told, TENANT) == {}


def test_what_a_scan_said_is_marked():
    assert row(MODEL, ())["said"] == "not scanned"
    marks = {verdict: row(replace(MODEL, scan=verdict), ("a",))["mark"] for verdict in Verdict}
    assert marks == {
        Verdict.CLEAN: "satisfied",
        Verdict.UNKNOWN: "pending",
        Verdict.REFUSED: "not-satisfied",
    }
    assert row(replace(MODEL, scan=Verdict.CLEAN, noted=2), ())["noted"] == "2 to read first"

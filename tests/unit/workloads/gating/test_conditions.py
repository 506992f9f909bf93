"""Each condition of the gate rests on statements only: without its statement, or with a bad one, it is not met."""

from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.testing.gating import EPOCH, GateLab, observed
from ringfence.testing.home import TENANT
from ringfence.testing.models import HOSTILE
from ringfence.workloads.gatefile import CONDITIONS, GateFiles, shipped_bytes
from ringfence.workloads.gating.model import Outcome


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def judged(lab):
    found = lab.gates.judge(TENANT, lab.gates.about(TENANT, str(lab.digest)))
    return {one.name: one for one in found.conditions}, found


def test_a_model_with_everything_passes_and_names_what_it_rests_on(lab):
    lab.everything()
    conditions, found = judged(lab)
    assert {name: one.outcome for name, one in conditions.items()} == dict.fromkeys(CONDITIONS, Outcome.MET), conditions
    assert found.passed
    assert all(one.entries and one.because for one in conditions.values())
    kinds = {one.entry: one.envelope.statement.predicate for one in lab.services.ledger.statements(TENANT)}
    rests = {name: {kinds[entry] for entry in one.entries} for name, one in conditions.items()}
    assert rests == {
        "signed": {"model.signed"},
        "data": {"dataset.sealed"},
        "lineage": {"run.manifest"},
        "scan": {"model.scan"},
        "redteam": {"redteam.run"},
        "bom": {"mlbom.generated"},
        "approval": {"model.approved"},
    }


@pytest.mark.parametrize("missing", ["data", "lineage", "scan", "redteam", "bom", "approval"])
def test_nothing_is_met_by_default(lab, missing):
    lab.everything(but={missing})
    conditions, found = judged(lab)
    assert conditions[missing].outcome is Outcome.UNMET
    assert missing in found.unmet
    assert not found.passed


def test_without_a_signature_nothing_else_helps(lab):
    lab.everything(but={"signed"})
    conditions, found = judged(lab)
    assert conditions["signed"].outcome is Outcome.UNMET
    assert conditions["lineage"].outcome is Outcome.UNMET  # nobody signed the end of it
    assert not found.passed


def test_a_model_of_which_nobody_said_anything_is_not_found(lab):
    with pytest.raises(NotFound):
        judged(lab)
    with pytest.raises(NotFound):
        lab.gates.about(TENANT, "tiny")


@pytest.mark.parametrize(
    ("missing", "instead"),
    [
        ("scan", lambda lab: lab.scan({"model.txt": HOSTILE["os.system"]})),
        ("redteam", lambda lab: lab.redteam(label="smoke", cases=10)),
        ("redteam", lambda lab: lab.redteam(verdict="fail", upperPpm=90_000)),
        ("redteam", lambda lab: lab.redteam(verdict="inconclusive")),
        ("bom", lambda lab: lab.bom(filesMatched=0)),
        ("bom", lambda lab: lab.bom(schemaErrors=1)),
        ("bom", lambda lab: lab.bom(danglingReferences=2)),
        ("approval", lambda lab: lab.approval(Role.SECURITY)),
        ("lineage", lambda lab: lab.lineage(outcome="failed")),
        ("lineage", lambda lab: lab.lineage(codeChanged=True)),
    ],
    ids=["hostile", "smoke", "failed", "inconclusive", "file", "schema", "dangling", "one person", "run", "code"],
)
def test_what_is_stated_badly_meets_nothing(lab, missing, instead):
    lab.everything(but={missing})
    instead(lab)
    conditions, found = judged(lab)
    assert conditions[missing].outcome is Outcome.UNMET
    assert conditions[missing].entries or missing == "lineage"
    assert not found.passed


def test_the_newest_statement_counts_and_not_the_best(lab):
    lab.everything()
    lab.scan({"model.txt": HOSTILE["os.system"]})
    lab.redteam(verdict="fail", upperPpm=90_000)
    lab.bom(filesMatched=0)
    assert judged(lab)[1].unmet == ("scan", "redteam", "bom")


def test_another_suite_that_passed_does_not_make_up_for_one_that_failed(lab):
    lab.everything()
    lab.redteam(suite="another", verdict="fail", upperPpm=90_000)
    lab.redteam(suite="third")
    assert judged(lab)[1].unmet == ("redteam",)


def test_a_bound_of_the_tenant_is_stricter_than_the_runs_own(lab):
    lab.everything(but={"redteam"})
    lab.redteam(upperPpm=39_000)
    assert judged(lab)[0]["redteam"].outcome is Outcome.MET
    own(lab, ("redteam_bound_ppm: 50000", "redteam_bound_ppm: 38999"))
    assert judged(lab)[0]["redteam"].outcome is Outcome.UNMET


def own(lab, *changes):
    text = shipped_bytes().decode()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = GateFiles(lab.home.path).path(TENANT)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


@pytest.mark.parametrize(("name", "days"), [("scan", 91), ("redteam", 181), ("bom", 366), ("approval", 366)])
def test_what_is_too_old_meets_nothing(lab, clock, name, days):
    lab.everything()
    clock.advance(timedelta(days=days - 2))
    if name in {"bom", "approval"}:  # people's keys live for a year: another one is asked to look
        assert judged(lab)[0][name].outcome in {Outcome.MET, Outcome.UNMET}
    else:
        assert judged(lab)[0][name].outcome is Outcome.MET
    clock.advance(timedelta(days=3))
    assert judged(lab)[0][name].outcome is Outcome.UNMET


def test_an_approval_is_taken_back(lab):
    lab.everything()
    lab.approval(Role.OWNER, decision="withdraw")
    assert judged(lab)[1].unmet == ("approval",)
    lab.approval(Role.OWNER)
    assert judged(lab)[1].passed


def test_whoever_signed_the_model_approves_nothing(lab):
    lab.everything(but={"signed", "approval"})
    lab.signed(Role.OWNER)
    with pytest.raises(Refused, match="another person"):
        lab.approval(Role.OWNER)
    lab.approval(Role.SECURITY, Role.MANAGEMENT)
    assert judged(lab)[1].passed


def test_the_same_person_twice_is_one_person(lab):
    lab.everything(but={"approval"})
    lab.approval(Role.SECURITY, Role.SECURITY)
    assert judged(lab)[0]["approval"].because.startswith("1 of 2 people")


def test_somebody_whom_the_log_has_known_for_less_than_a_day_is_no_second_person(lab, clock):
    """Whoever holds the root key could have made that person up just now."""
    lab.everything(but={"approval"})
    clock.advance(timedelta(hours=25))
    lab.newcomer(Role.SECURITY)
    lab.approval()
    found = judged(lab)[0]["approval"]
    assert found.outcome is Outcome.UNMET
    assert found.because.startswith("1 of 2 people")
    clock.advance(timedelta(hours=24))
    assert judged(lab)[0]["approval"].outcome is Outcome.UNMET  # to wait does not make an old signature better
    lab.approval(Role.SECURITY, decision="withdraw")
    lab.approval(Role.SECURITY)
    assert judged(lab)[1].passed


def test_people_who_left_neither_signed_nor_approve(lab, clock):
    lab.everything()
    clock.advance(timedelta(minutes=1))
    lab.services.identity.remove(lab.home.people[Role.SECURITY].id, by=lab.home.actor(), left_at=None, reason="left")
    lab.services.identity.remove(lab.home.people[Role.ENGINEER].id, by=lab.home.actor(), left_at=None, reason="left")
    lab.services.ledger.integrate()
    assert {"approval", "signed"} <= set(judged(lab)[1].unmet)


def test_a_condition_that_nobody_demands_is_shown_and_keeps_nobody_back(lab):
    lab.everything(but={"redteam"})
    own(lab, ("scan, redteam, bom", "scan, bom"))
    conditions, found = judged(lab)
    assert conditions["redteam"].outcome is Outcome.UNMET
    assert found.passed


def test_a_file_that_demands_nothing_lets_nothing_pass(lab):
    lab.everything()
    own(lab, ("demands: [signed, data, lineage, scan, redteam, bom, approval]", "demands: []"))
    assert not judged(lab)[1].passed


def test_a_damaged_dataset_is_no_data(lab):
    lab.everything()
    claims = EPOCH | {"mode": "storage", "result": "fail", "chunks": 3, "failed": 1}
    lab.say(observed("dataset.verified", claims, "dataset/" + "d" * 32, Digest.of(b"seal")))
    conditions, _ = judged(lab)
    assert conditions["data"].outcome is Outcome.UNMET
    assert "verification" in conditions["data"].because


def test_a_model_from_outside_is_waived_where_it_cannot_be_met_and_never_called_met(lab):
    lab.decide(lab.bring())
    lab.everything(but={"data", "lineage", "scan"})
    conditions, found = judged(lab)
    assert conditions["data"].outcome is Outcome.WAIVED
    assert conditions["lineage"].outcome is Outcome.MET
    kinds = {one.entry: one.envelope.statement.predicate for one in lab.services.ledger.statements(TENANT)}
    assert {kinds[entry] for entry in (*conditions["data"].entries, *conditions["lineage"].entries)} == {
        "model.intake_decided"
    }
    assert found.passed


def test_a_verdict_is_stated_by_the_control_plane_with_what_it_rests_on(lab):
    lab.everything()
    found, done = lab.gates.state(lab.home.actor(Role.ENGINEER), "tiny")
    assert found.passed
    (said,) = lab.services.ledger.statements(TENANT, [PredicateName("model.gated")])
    assert said.entry == done.entry
    claims = said.envelope.statement.claims
    assert (claims["verdict"], [one["outcome"] for one in claims["conditions"]]) == ("pass", ["met"] * 7)
    assert "looked at it" not in repr(claims)
    stated = lab.gates.verdict(TENANT, lab.digest)
    assert (stated.passed, stated.unmet, stated.entry) == (True, (), done.entry)

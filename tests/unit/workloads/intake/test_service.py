"""What comes from outside is neither signed nor served before another person lets it in."""

from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.testing.gating import MODEL, GateLab, manifest
from ringfence.testing.home import TENANT, signed
from ringfence.testing.models import HOSTILE
from ringfence.workloads.gatefile import GateFiles, shipped_bytes
from ringfence.workloads.intake import statements
from ringfence.workloads.intake.model import Source, State


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def test_it_waits_until_another_person_decides(lab):
    found = lab.bring()
    assert (found.state, found.name, found.told.licence, found.scan.value) == (
        State.WAITING,
        "tiny",
        "Apache-2.0",
        "clean",
    )
    with pytest.raises(Refused, match="nobody has decided"):
        lab.signed()
    with pytest.raises(Refused, match="another person"):
        lab.decide(found, role=Role.ENGINEER)
    done = lab.decide(found)
    assert (done.state, done.decided.by, done.decided.reason) == (
        State.ACCEPTED, lab.home.people[Role.SECURITY].id, "read it"
    )  # fmt: skip
    lab.signed()


@pytest.mark.parametrize("made_up", [Role.ENGINEER, Role.SECURITY], ids=["who brings in", "who decides"])
def test_somebody_enrolled_just_now_is_no_second_person(lab, clock, made_up):
    clock.advance(timedelta(hours=25))
    lab.newcomer(made_up)
    found = lab.bring()
    with pytest.raises(Refused, match="younger than 24 hours"):
        lab.decide(found)
    assert lab.gates.intakes.one(TENANT, found.id).state is State.WAITING
    assert lab.decide(found, "refuse").state is State.REFUSED  # to keep something out takes nobody else
    clock.advance(timedelta(hours=24))
    if made_up is Role.SECURITY:
        assert lab.decide(found).state is State.ACCEPTED


def test_what_was_refused_stays_out_until_somebody_accepts_it(lab):
    found = lab.decide(lab.bring(), "refuse")
    with pytest.raises(Refused, match="refused them"):
        lab.signed()
    with pytest.raises(Conflict, match="already"):
        lab.decide(found, "refuse")
    lab.decide(found)
    lab.signed()
    lab.decide(found, "refuse")
    assert lab.gates.intakes.one(TENANT, found.id).state is State.REFUSED
    with pytest.raises(Refused):
        lab.approval(Role.SECURITY)


def test_brought_in_again_what_was_refused_stays_refused(lab):
    lab.decide(lab.bring(), "refuse")
    lab.bring(origin="another disk")
    with pytest.raises(Refused, match="refused"):
        lab.gates.intakes.check_let_in(TENANT, [lab.digest])


@pytest.mark.parametrize(
    ("told", "files", "match"),
    [
        ({"licence": "LicenseRef-secret"}, None, "licence"),
        ({}, {"model.txt": HOSTILE["os.system"]}, "scan says refused"),
        ({}, {"model.txt": b"\x00\x01\x02unknown"}, "scan says"),
    ],
    ids=["licence", "hostile", "unknown"],
)
def test_nobody_accepts_what_the_tenants_file_does_not_let_in(lab, told, files, match):
    found = lab.bring(files, **told)
    with pytest.raises(Refused, match=match):
        lab.decide(found)
    assert lab.decide(found, "refuse").state is State.REFUSED


def test_a_country_that_is_not_listed_is_not_let_in(lab):
    own(lab, b"countries: []", b"countries: [DE, FR]")
    assert lab.decide(lab.bring(country="FR")).state is State.ACCEPTED
    lab.files = {"model.txt": b"other words"}
    with pytest.raises(Refused, match="country"):
        lab.decide(lab.bring(country="US"))


def own(lab, before, after):
    path = GateFiles(lab.home.path).path(TENANT)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(shipped_bytes().replace(before, after))


def test_a_decision_under_an_older_file_is_not_taken(lab):
    found = lab.bring()
    draft = lab.gates.intakes.draft(lab.home.actor(Role.SECURITY), found.id, "accept", "read it")
    own(lab, b"approvals: 2", b"approvals: 3")
    posted = signed(lab.services, lab.home.people[Role.SECURITY], draft)
    with pytest.raises(Refused, match="changed"):
        lab.gates.intakes.decide(lab.home.actor(Role.SECURITY), found.id, *posted)


def test_a_decision_about_other_bytes_is_not_taken(lab):
    found = lab.bring()
    lab.files = {"model.txt": b"other words"}
    other = lab.bring()
    draft = lab.gates.intakes.draft(lab.home.actor(Role.SECURITY), other.id, "accept", "read it")
    posted = signed(lab.services, lab.home.people[Role.SECURITY], draft)
    with pytest.raises(Refused, match="another model"):
        lab.gates.intakes.decide(lab.home.actor(Role.SECURITY), found.id, *posted)
    with pytest.raises(NotFound):
        lab.gates.intakes.one(TENANT, "0" * 64)


def test_without_a_scan_of_these_bytes_nothing_is_recorded(lab):
    found = lab.bring()
    told, policy = found.told, lab.gates.files(TENANT).digest
    draft = statements.quarantined(MODEL, "tiny", manifest({"x": b"never scanned"}), 1, Source.FILE, told, policy)
    posted = signed(lab.services, lab.home.people[Role.ENGINEER], draft)
    with pytest.raises(MalformedInput, match="scan"):
        lab.gates.intakes.bring(lab.home.actor(Role.ENGINEER), *posted)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001, "bell \x07"])
def test_a_reason_is_a_text(lab, reason):
    found = lab.bring()
    with pytest.raises(MalformedInput):
        lab.gates.intakes.draft(lab.home.actor(Role.SECURITY), found.id, "accept", reason)


def test_names_owners_and_reasons_stay_out_of_the_envelopes(lab):
    lab.decide(lab.bring(owner="Zebra SA", origin="the zebra's disk"))
    for one in lab.services.ledger.statements(TENANT):
        if one.envelope.statement.predicate in {statements.QUARANTINED, statements.DECIDED}:
            data = one.envelope.data.lower()
            assert b"zebra" not in data
            assert b"read it" not in data
            assert b"tiny" not in data


def test_bytes_that_nobody_brought_in_are_nobodys_to_hold_back(lab):
    lab.gates.intakes.check_let_in(TENANT, [Digest.of(b"ours")])

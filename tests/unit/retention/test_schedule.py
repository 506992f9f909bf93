import pytest
import yaml

from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.obligations.reading import package_file
from ringfence.retention.model import Basis, ClassName
from ringfence.retention.schedule import defaulted, overridden, parse, shipped

SHIPPED = shipped()
OWN = b"days: {%s: %d}\n"


def own(name, days):
    return overridden(SHIPPED, OWN % (name.encode(), days), source="retention.yaml")


def limits():
    return [pytest.param(one, id=one.name) for one in SHIPPED.classes]


@pytest.mark.parametrize("one", limits())
def test_a_team_chooses_between_the_limits_and_not_beyond(one):
    lowest = max(one.floor, 1)
    assert own(one.name, lowest).named(one.name).days == lowest
    assert own(one.name, one.maximum).named(one.name).days == one.maximum
    with pytest.raises(Refused, match="at most"):
        own(one.name, one.maximum + 1)
    if one.floor > 1:
        with pytest.raises(Refused, match=f"at least {one.floor}"):
            own(one.name, one.floor - 1)


def test_every_family_has_one_class():
    families = [family for one in SHIPPED.classes for family in one.families]
    assert len(families) == len(set(families))
    assert SHIPPED.of("incident.triage").name == "details-response"
    assert SHIPPED.of("never.heard").name == "details-other"


def test_minima_of_law_say_what_the_duties_say():
    """Provision, mark and days from the same reference as the duties."""
    rows = yaml.safe_load(package_file("obligations/ai.yaml"))["obligations"]
    duties = {row["provision"]: row for row in rows if row["act"] == "AI Act"}
    lawful = [minimum for one in SHIPPED.classes for minimum in one.minima if minimum.basis is Basis.LAW]
    assert {minimum.provision for minimum in lawful} == {"AI Act 18", "AI Act 19(1), 26(6)"}
    for minimum in lawful:
        for provision in minimum.provision.removeprefix("AI Act ").split(", "):
            duty = duties[provision]
            assert minimum.paraphrase == duty["paraphrase"]
            assert (minimum.source, minimum.verified_on) == (duty["source"], duty["verified_on"])
            since = {kind: day.isoformat() for kind, day in (minimum.applies_from or {}).items()}
            assert since == duty["applies_from"]


def test_every_class_says_why_and_what_goes():
    assert all(one.purpose and one.starts and one.destroys for one in SHIPPED.classes)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"days: 3",
        b"days: {sessions: 3.5}",
        b"days: {sessions: yes}",
        b"days: {sessions: 0}",
        b"days: {sessions: 40000}",
        b"days: {nothing: 30}",
        b"days: {sessions: 30}\nmore: 1",
        b"days: {1: 30}",
        b"\xff\xfe",
        b"days: {sessions: 30",
        b"[" * 500,
        b"a" * (2**18 + 1),
        b"!!python/object/apply:os.system [ls]",
    ],
)
def test_what_is_no_such_file_is_one_sentence(text):
    with pytest.raises(MalformedInput):
        overridden(SHIPPED, text, source="retention.yaml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("days: 7\n", "days: 91\n"),  # above its own maximum
        ("provision: AI Act 18", "provision: 18"),
        ("name: sessions", "name: events"),
        ("applies_from: {high_risk_annex_III: '2027-12-02'", "applies_from: {high_risk_annex_III: 'soon'"),
        ("source: V", "origin: V"),
        ("title: Emergency journal", "name: Emergency journal"),
        ("classes:", "kinds:"),
    ],
)
def test_a_broken_file_of_classes_is_refused(old, new):
    from importlib import resources

    text = resources.files("ringfence.retention").joinpath("data", "retention.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(MalformedInput):
        parse(text.replace(old, new, 1).encode(), source="retention.yaml")


def test_a_teams_file_changes_the_digest_that_sweeps_name():
    assert own("sessions", 30).digest != SHIPPED.digest


def test_a_profiles_default_counts_between_the_limits_and_a_teams_own_goes_before():
    kept = ClassName("inference-records")
    assert defaulted(SHIPPED, {}) is SHIPPED
    assert defaulted(SHIPPED, {kept: 1095}) is SHIPPED  # what is so anyway
    chosen = defaulted(SHIPPED, {kept: 400}).named(kept)
    assert (chosen.days, chosen.profile, chosen.overridden) == (400, True, False)
    for wanted, within in ((1, 184), (99_999, SHIPPED.named(kept).maximum)):  # a minimum of law, and our maximum
        assert defaulted(SHIPPED, {kept: wanted}).named(kept).days == within
    own = overridden(defaulted(SHIPPED, {kept: 400}), b"days: {inference-records: 500}", source="retention.yaml")
    assert (own.named(kept).days, own.named(kept).profile, own.named(kept).overridden) == (500, False, True)
    assert len({schedule.digest for schedule in (SHIPPED, defaulted(SHIPPED, {kept: 400}), own)}) == 3

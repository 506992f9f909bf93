"""A control is set aside by a file and a signature over exactly that file, until a day, and by nothing less."""

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, overrides, reading
from ringfence.obligations.asides import BINDS, NOT_APPLICABLE, subject_of
from ringfence.obligations.profile import SELECTED
from ringfence.obligations.records import Records
from ringfence.obligations.results import Standing as Towards
from ringfence.obligations.results import State
from ringfence.testing.obligations import Story

FILE = """\
meta: {{version: 1, owner: security-lead, reviewed_on: '2026-11-22'}}
overrides:
- control: {control}
  not_applicable: {{reason: nobody works at that site any more, owner: security-lead, expires: '{expires}'}}
  because: {because}
"""
END = datetime(2027, 5, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NAME = "SEC-11"


def rules(control=NAME, *, expires="2027-05-01", because="the site was given up"):
    text = FILE.format(control=control, expires=expires, because=because)
    return overrides.apply(catalog.load(), [reading.parse(text.encode(), source="overrides/a.yaml")])


def claims_of(known, name, **changes):
    row = known.overrides.set_aside[name]
    said = {"control": name, "expires": row.expires.isoformat(), "overrideDigest": str(row.file)}
    return said | changes


def signed(known, control=NAME, story=None, **flags):
    told = story or Story()
    claims = claims_of(known, control, **flags.pop("claims", {}))
    flags = {"strength": Strength.DOCUMENTED, "subject": subject_of(control)} | flags
    told.add(NOT_APPLICABLE, claims, **flags)
    return told


def computed(known, story, at=None):
    return board.compute(known, Records.of(story.tenant, story.statements), at or story.now)


def result_of(found, control=NAME):
    return next(result for result in found.controls if result.control.id == control)


def test_it_leaves_the_denominator_and_says_who_said_so_and_why():
    known = rules()
    story = signed(known)
    before, found = computed(known, Story()), computed(known, story)
    result = result_of(found)
    assert result.verdict.state is State.NOT_APPLICABLE
    assert (
        result.verdict.because == "set aside by the security-lead until 2027-05-01: nobody works at that site any more"
    )
    assert (result.set_aside, result.entries, result.next_step) == (True, (0,), None)
    assert (found.set_aside, found.denominator) == (1, before.denominator - 1)


def test_a_file_alone_changes_nothing():
    result = result_of(computed(rules(), Story()))
    assert (result.verdict.state, result.set_aside) == (State.NOT_SATISFIED, False)
    assert result.aside.why_not == f"nobody has signed it: ringfence rules sign {NAME}"


def test_it_ends_to_the_very_moment_and_says_so_beforehand():
    known = rules()
    story = signed(known)
    last, over = computed(known, story, END - TICK), computed(known, story, END)
    assert (result_of(last).set_aside, result_of(last).verdict.next_change) == (True, END)
    assert (result_of(over).set_aside, result_of(over).verdict.state) == (False, State.NOT_SATISFIED)
    assert result_of(over).aside.why_not == "it ended on 2027-05-01"


def test_it_ends_in_what_is_kept_from_before_as_well():
    known = rules()
    story = signed(known)
    records = Records.of(story.tenant, story.statements)
    earlier = board.compute(known, records, END - TICK)
    assert board.compute(known, records, END, (records, earlier)) == board.compute(known, records, END)


def test_a_file_that_changed_after_it_was_signed_counts_no_more():
    story = signed(rules())
    result = result_of(computed(rules(because="another reason altogether"), story))
    assert (result.set_aside, result.aside.signable) == (False, True)
    assert result.aside.why_not == "its file changed after it was signed; sign it again"


@pytest.mark.parametrize("claims", [{"expires": "2027-06-01"}, {"control": "SEC-10"}, {"overrideDigest": "sha256:00"}])
def test_a_signature_over_something_else_does_not_count(claims):
    known = rules()
    assert not result_of(computed(known, signed(known, claims=claims))).set_aside


@pytest.mark.parametrize(
    "flags",
    [
        {"role": KeyRole.CONTROL_PLANE},
        {"role": KeyRole.GATEWAY},
        {"strength": Strength.DECLARED},
        {"standing": Standing.REVOKED},
        {"standing": Standing.UNKNOWN},
        {"subject": "control/SEC-10"},
        {"demo": True},
    ],
)
def test_only_a_persons_sound_signature_counts(flags):
    known = rules()
    assert not result_of(computed(known, signed(known, **flags))).set_aside


def test_nothing_is_signed_for_longer_than_a_year_and_a_day():
    known = rules(expires="2027-11-23")
    early = Story(start=datetime(2026, 11, 1, tzinfo=UTC))
    result = result_of(computed(known, signed(known, story=early)))
    assert result.aside.why_not == "it was signed for more than 366 days"


def scoped(story, **claims):
    said = {"category": "essential", "jurisdiction": "DE", "binds2690": True, "systems": []}
    story.add("entity.classification", said | claims, subject="entity/e", strength=Strength.DOCUMENTED)
    return story


def test_a_duty_that_binds_by_law_is_not_switched_off():
    known = rules("GOV-05")
    assert next(control for control in known.controls if control.id == "GOV-05").period_basis == "law"
    story = signed(known, "GOV-05", scoped(Story()))
    result = result_of(computed(known, story), "GOV-05")
    assert any(duty.standing is Towards.BINDING for duty in result.duties)
    assert (result.set_aside, result.aside.why_not, result.aside.signable) == (False, BINDS, False)


def test_what_a_profile_asks_for_is_not_set_aside_and_the_conflict_is_said():
    known = rules("BCM-04")
    story = signed(known, "BCM-04")
    story.add(SELECTED, {"profile": "health"}, subject="profile/health", strength=Strength.DOCUMENTED)
    result = result_of(computed(known, story), "BCM-04")
    assert (result.set_aside, result.required_by) == (False, "health")
    assert "in conflict with the signed profile health" in result.aside.why_not
    story.add(SELECTED, {"profile": "none"}, subject="profile/none", strength=Strength.DOCUMENTED)
    assert result_of(computed(known, story), "BCM-04").set_aside


def test_what_the_scope_leaves_out_already_is_not_counted_as_set_aside():
    out = {"category": "out_of_scope", "binds2690": False, "products": [], "personalData": False}
    known = rules("AIA-07")
    found = computed(known, signed(known, "AIA-07", scoped(Story(), **out, financialEntity=False)))
    result = result_of(found, "AIA-07")
    assert "set aside" not in result.verdict.because
    assert result.verdict.state is State.NOT_APPLICABLE
    assert (result.aside.counts, result.set_aside, found.set_aside) == (True, False, 0)

"""What is stated about the gate is read back, or refused where it contradicts itself."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.gating import MODEL
from ringfence.testing.home import signed
from ringfence.workloads.gatefile import CONDITIONS
from ringfence.workloads.gating import statements
from ringfence.workloads.gating.model import About, Condition, Judgement, Mode, Outcome

DIGEST = Digest.of(b"it")
PASSED = Judgement(
    About(DIGEST, MODEL, "tiny"),
    tuple(Condition(name, Outcome.MET, "so", (1,)) for name in CONDITIONS),
    DIGEST,
    datetime(2026, 11, 20, tzinfo=UTC),
)


def read(services, home, draft):
    envelope, _ = signed(services, home.people[Role.OWNER], draft)
    return statements.claims_of(envelope.statement, draft.predicate)


DRAFTS = {
    "gated": statements.gated(PASSED, MODEL),
    "approved": statements.approved(MODEL, DIGEST, statements.APPROVE, "so"),
    "mode": statements.mode_set(Mode.ENFORCE, Mode.OBSERVE, DIGEST),
}


@pytest.mark.parametrize("name", DRAFTS)
def test_it_is_read_back(services, home, name):
    assert read(services, home, DRAFTS[name]) == DRAFTS[name].claims


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gated", {"verdict": "fail"}),
        ("gated", {"conditions": []}),
        ("gated", {"conditions": DRAFTS["gated"].claims["conditions"][::-1]}),
        ("gated", {"conditions": [{**DRAFTS["gated"].claims["conditions"][0], "outcome": "unmet"}] * 7}),
        ("gated", {"policy": "it"}),
        ("approved", {"decision": "perhaps"}),
        ("mode", {"mode": "off"}),
        ("mode", {"policy": str(Digest.of(b"other"))}),
        ("mode", {"more": 1}),
    ],
)
def test_what_contradicts_itself_is_refused(services, home, name, change):
    draft = DRAFTS[name]
    with pytest.raises(MalformedInput):
        read(services, home, replace(draft, claims={**draft.claims, **change}))


@pytest.mark.parametrize("name", DRAFTS)
def test_other_subjects_and_strengths_are_refused(services, home, name):
    with pytest.raises(MalformedInput):
        read(services, home, replace(DRAFTS[name], subjects=(Subject("model/other", DIGEST),)))
    with pytest.raises(Refused):
        read(services, home, replace(DRAFTS[name], strength=Strength.DECLARED))


def test_a_long_list_of_entries_is_cut_and_says_so():
    many = replace(PASSED, conditions=(replace(PASSED.conditions[0], entries=tuple(range(50))), *PASSED.conditions[1:]))
    first = statements.gated(many, MODEL).claims["conditions"][0]
    assert (len(first["entries"]), first["more"]) == (32, 18)

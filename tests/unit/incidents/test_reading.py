from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringfence.incidents import acts, reading
from ringfence.incidents.model import Answer, IncidentId
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength
from ringfence.testing.clock import FakeClock
from ringfence.testing.incidents import MemoryLog

NAME = IncidentId("i-0123abcd")
SEEN = acts.Seen(NAME, 2, Digest.of(b"head"))
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
TRIAGE = acts.triage(
    SEEN,
    acts.Decision(
        True, ("3(1)(e)", "3(1)(b)"), "why", AT, AT, AT, AT, Answer.YES, Answer.NO, ("b", "a"), {"lossEur": 1}
    ),
)


def read(draft, expected=None, name=NAME):
    envelope, opening = MemoryLog(FakeClock()).signed(draft)
    return reading.read(envelope.statement, opening, expected or draft.predicate, name)


@pytest.mark.parametrize(
    "draft",
    [
        TRIAGE,
        acts.declared(NAME, AT, "n-00000001", "odd"),
        acts.declared(NAME, AT, "", "odd"),
        acts.corrected(SEEN, "aware-at", reason="r", value="2026-11-22T09:00:00.000Z"),
        acts.corrected(SEEN, "contact", reason="r", value="Dana"),
        acts.corrected(SEEN, "merge", reason="r", other="i-00000000"),
        acts.corrected(SEEN, "split", reason="r", findings=("f-0000", "f-1111")),
        acts.reported(SEEN, "nis2.final", AT, "csirt", Digest.of(b""), {"reference": "1", "salt": "0" * 64, "to": "X"}),
        acts.noticed(SEEN, "cars", AT, Digest.of(b""), {"reference": "1", "salt": "0" * 64}),
        acts.closed(SEEN, AT, "done"),
    ],
)
def test_every_act_is_read_back_as_it_was_signed(draft):
    act = read(draft)
    assert act.claims == draft.claims
    assert act.details == draft.details


def test_lists_are_signed_sorted():
    assert TRIAGE.claims["criteria"] == ["3(1)(b)", "3(1)(e)"]
    assert TRIAGE.claims["customers"] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("significant", 1),
        ("significant", "yes"),
        ("criteria", ["3(1)(e)", "3(1)(b)"]),
        ("criteria", ["3(1)(b)", "3(1)(b)"]),
        ("criteria", "3(1)(b)"),
        ("criteria", [{"a": 1}]),
        ("criteria", ["x" * 5]),
        ("malicious", "perhaps"),
        ("malicious", None),
        ("customers", ["../etc"]),
        ("measured", {"minutes": 1}),
        ("measured", {"lossEur": -1}),
        ("measured", {"lossEur": True}),
        ("measured", [1]),
        ("awareAt", "2026-11-22 09:00"),
        ("awareAt", 5),
        ("seen", -1),
        ("timeline", "00"),
        ("other", 1),
    ],
)
def test_claims_of_another_shape_are_refused(name, value):
    with pytest.raises(MalformedInput):
        read(replace(TRIAGE, claims={**TRIAGE.claims, name: value}))


@pytest.mark.parametrize("findings", [["Dana Voss called"], ["f-0000"], "", None])
def test_what_a_person_declares_names_no_finding(findings):
    declared = acts.declared(NAME, AT, "", "odd")
    with pytest.raises(MalformedInput, match="findings"):
        read(replace(declared, claims={**declared.claims, "findings": findings}))


@pytest.mark.parametrize("name", ["significant", "criteria", "detectedAt", "seen", "timeline", "measured"])
def test_a_missing_claim_is_refused(name):
    with pytest.raises(MalformedInput, match=name):
        read(replace(TRIAGE, claims={key: value for key, value in TRIAGE.claims.items() if key != name}))


@pytest.mark.parametrize(
    "details", [{}, {"reason": ""}, {"reason": 5}, {"reason": "x" * 4001}, {"reason": "x", "more": "y"}]
)
def test_details_of_another_shape_are_refused(details):
    with pytest.raises(MalformedInput):
        read(replace(TRIAGE, details=details))


def test_another_type_strength_or_incident_is_refused():
    with pytest.raises(MalformedInput, match="takes"):
        read(TRIAGE, acts.CLOSED)
    with pytest.raises(Refused, match="strength"):
        read(replace(TRIAGE, strength=Strength.OBSERVED))
    for wrong in (IncidentId("i-ffffffff"),):
        with pytest.raises(Refused, match="another incident"):
            read(TRIAGE, name=wrong)
    with pytest.raises(Refused, match="another incident"):
        read(replace(TRIAGE, subjects=(acts.subject(IncidentId("i-ffffffff")),)))

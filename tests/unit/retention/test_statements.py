import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId
from ringfence.retention import statements
from ringfence.retention.model import Act, ClassName, Fate, Hold, HoldId, Outcome, Run, RunId, Scope
from ringfence.retention.schedule import shipped
from ringfence.testing.home import TENANT

SPECS = Path(__file__).parents[3] / "docs" / "specs" / "predicates"
AT = datetime(2026, 11, 22, tzinfo=UTC)
BY = Person(PersonId("person-0123456789ab"), TENANT, Role.OWNER)
WHO = "person-ba9876543210"
RUN = RunId("run-0123456789ab")
HOLD = Hold(HoldId("hold-0123456789ab"), TENANT, Scope(WHO, "i-00000001", "incident", AT, None), BY.id, AT)
FATES = {Fate.DESTROYED: 2, Fate.HELD: 1}
GONE = (Digest.of(b"b"), Digest.of(b"a"))


def outcome(act):
    kind = ClassName("events") if act is Act.SWEEP else None
    return Outcome(Run(RUN, TENANT, act, kind, Digest.of(b"asked"), AT), FATES, GONE if act is Act.ERASE else ())


SCHEDULE = shipped()
DRAFTS = [
    statements.hold_placed(HOLD, "a court asked"),
    statements.hold_released(HOLD, BY, "it is over"),
    statements.sweep_requested(RUN, SCHEDULE.named(ClassName("events")), 3, SCHEDULE),
    statements.swept(outcome(Act.SWEEP)),
    statements.erasure_requested(RUN, BY, FATES, {"person": WHO, "because": "asked"}),
    statements.erased(outcome(Act.ERASE)),
]


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_it_fits_its_schema_and_the_schema_fits_nothing_else(draft):
    schema = json.loads((SPECS / f"{draft.predicate}.schema.json").read_text(encoding="utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    check.validate(dict(draft.claims))
    assert not check.is_valid(dict(draft.claims) | {"other": 1})
    assert set(schema["required"]) == set(draft.claims)


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_whom_and_why_stand_in_details_only(draft):
    words = str(draft.claims)
    assert WHO not in words
    assert "court" not in words
    assert "asked" not in words.replace("requested", "")


def test_commitments_stand_in_one_order():
    assert DRAFTS[-1].claims["commitments"] == [str(each) for each in sorted(GONE)]


def test_what_a_hold_covers_is_said_in_words():
    assert "person " + WHO in statements.described(HOLD.scope)
    assert len(statements.described(HOLD.scope)) == 4

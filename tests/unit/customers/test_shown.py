import json

import pytest

from ringfence.customers import importing, inheriting, register, shown, statements
from ringfence.customers.model import Thing, ThingKind
from ringfence.kernel.digest import Digest
from ringfence.obligations import board
from ringfence.obligations.records import Records
from ringfence.testing.customers import OWNER, A, B
from ringfence.testing.ledger import START, TENANT


@pytest.fixture
def known(log):
    log.state_draft(statements.packed(A, OWNER, Digest.of(b"r"), 3, bytes(32)), by="control")
    log.state_draft(
        statements.answered(A, {"questions": 2, "unmatched": 1, "withoutEvidence": 1}, OWNER, {}), by="control"
    )
    return register.fold(log.statements())


def test_a_line_says_what_is_owed_and_what_was_handed_out(known):
    made = shown.line(known.everybody[A], known)
    assert made["notice_hours"] == {"incident": {"hours": 6, "agreed": True, "basis": "the contract"}}
    assert made["last_pack"]["size"] == 3
    assert made["last_pack"]["opened"] is None
    assert made["last_questionnaire"]["no_evidence"] == 1
    assert shown.line(known.everybody[B], known)["last_pack"] is None


def test_the_whole_has_grounds_controls_and_counts_and_is_json(known, log, catalog):
    board_now = board.compute(catalog, Records.of(TENANT, log.statements(), demo=False), START)
    one = known.everybody[A]
    here = [Thing(ThingKind.DATASET, "d1", "scans")]
    made = shown.whole(one, known, inheriting.inherited(board_now, one), here)
    assert json.loads(json.dumps(made)) == made
    assert made["things"][0] == {"thing": "dataset/d1", "called": "scans"}
    assert made["things"][1]["called"] is None
    assert made["inherited_counts"]["controls"] == len(made["inherited"]) > 0
    assert {why["ground"] for each in made["inherited"] for why in each["why"]} == {"nis2-essential", "ir2690-5.1.4.d"}
    assert made["clauses"][0]["provision"] == "Annex 5.1.4(d)"


def test_what_is_shown_is_entered_again_without_a_change(known):
    one = known.everybody[A]
    again = importing.wanted_of(shown.entry(shown.whole(one, known, [], [])))
    assert (again.name, again.regimes, again.hours, again.clauses) == (one.name, one.regimes, one.hours, one.clauses)
    assert {f"{kind}/{name}" for kind, names in again.things.items() for name in names} == set(one.things)


def test_a_clause_of_another_edition_is_shown_by_its_id():
    assert shown.clause("gone") == {"id": "gone", "act": None, "provision": None, "topic": None}


def test_what_is_handed_out_is_the_pack_with_its_leaf(known):
    (made,) = known.packs
    found = shown.handed(known.everybody[A], made, b"{}\n", "text")
    assert (found["pack"], found["leaf"], found["made"]["number"]) == ("{}\n", "text", made.entry)

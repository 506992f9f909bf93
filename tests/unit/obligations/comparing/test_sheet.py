from dataclasses import replace
from datetime import timedelta

from ringfence.kernel.digest import Digest
from ringfence.obligations import board, catalog
from ringfence.obligations.comparing import sheet
from ringfence.obligations.comparing.comparison import comparison
from ringfence.obligations.comparing.model import Naming, Other, Version
from ringfence.obligations.difference import told
from ringfence.obligations.records import Records
from ringfence.testing.obligations import START, Story

RULES = catalog.load()
NAME = "log-02.chain"
OLDER = replace(
    RULES,
    digest=Digest.of(b"older"),
    controls=tuple(one for one in RULES.controls if one.id != "GOV-01"),
    requirements=RULES.requirements | {NAME: replace(RULES.requirements[NAME], freshness=timedelta(hours=5))},
)


def made(other):
    records = Records.of(Story().tenant, [], demo=False)
    here, there = (board.compute(rules, records, START) for rules in (RULES, other.catalog or RULES))
    return sheet.document(comparison(other, told(RULES), here, there if other.catalog else None))


def test_a_comparison_as_a_document():
    found = made(Other.whole("edition", OLDER))
    assert (found["there"]["rules"], found["here"]["rules"]) == (str(OLDER.digest), str(RULES.digest))
    assert (found["only_there"], found["only_here"]) == ([], [{"kind": "control", "id": "GOV-01"}])
    (change,) = found["changed"]
    assert (change["kind"], change["id"], change["called"]) == ("rule", NAME, "how old evidence may be")
    assert (change["there"], change["looser"]) == ("5 h", True)
    assert [one["control"] for one in found["states"]] == ["GOV-01"]
    assert (found["states"][0]["there"], found["states"][0]["here"]["state"]) == (None, "not-satisfied")
    assert found["here"]["counts"]["denominator"] == found["there"]["counts"]["denominator"] + 1


def test_of_a_part_of_the_rules_no_status_is_made_up():
    found = made(Other("pack", told(OLDER), None, "a part"))
    assert (found["states"], found["there"]["counts"], found["note"]) == (None, None, "a part")


def test_versions_as_a_document():
    named = Naming(7, START)
    (one, other) = sheet.versions(
        [Version(RULES.digest, True, True, 0, None, None), Version(OLDER.digest, False, False, 1, named, named)]
    )
    assert (one["counts"], one["ships"], one["statements"], one["last"]) == (True, True, 0, None)
    assert other["last"] == {"entry": 7, "at": "2026-11-22T09:00:00.000Z"}

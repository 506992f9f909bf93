"""Organisations written from the legal reference alone, each with the answer that it gives, held against ours.

The files: tests/data/organisations. What an answer leaves out of a case is not asked of it.
"""

from datetime import date
from pathlib import Path

import pytest
import yaml

from ringfence.kernel import identifier
from ringfence.obligations import catalog, duties
from ringfence.obligations.records import Records
from ringfence.obligations.results import Standing
from ringfence.obligations.scope.statement import Signing, drafts
from ringfence.testing.obligations import Story
from ringfence.testing.organisations import ON, answer

GIVEN = yaml.safe_load((Path(__file__).parents[1] / "data/organisations/cases.yaml").read_text(encoding="utf-8"))
LIKE, CASES = GIVEN["like"], GIVEN["cases"]
CATALOG = catalog.load()
ENTITY = CATALOG.requirements[duties.ENTITY]
SIGNING = Signing(identifier.tenant("acme"), b"s" * 32, b"t" * 32)


def organisation(change):
    found = dict(LIKE["organisation"])
    for key, value in change.items():
        found[key] = (
            found[key] | value if isinstance(value, dict) and isinstance(found.get(key), dict) else entries(value)
        )
    return found


def entries(value):
    return [entry(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value


def entry(one):
    like = LIKE.get(one.get("like"), {})
    return like | {name: value for name, value in one.items() if name != "like"}


def classified(name):
    case = CASES[name]
    day = case["expect"].get("on")
    return answer(organisation(case["change"]), on=date.fromisoformat(day) if day else ON), case["expect"]


def named(answers, expect, pairs):
    return {key: answers[key] for key in pairs if key in expect}, {key: expect[key] for key in pairs if key in expect}


@pytest.mark.parametrize("name", CASES)
def test_nis2(name):
    found, expect = classified(name)
    said = {
        "category": found["nis2"]["category"],
        "status": found["nis2"]["status"],
        "binds": found["binds_2690"],
        "jur": found["jurisdiction"],
        "supply": found["supply_chain_duty_only"],
        "lex": found["lex_specialis"],
    }
    got, wanted = named(said, expect, said)
    assert got == wanted, CASES[name]["law"]
    assert expect.get("provision", "") in found["nis2"]["provision"]
    assert any(expect.get("upcoming", "") in row["what"] for row in found["upcoming"]) or "upcoming" not in expect


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if {"ai", "cra"} & case["expect"].keys()])
def test_systems_and_products(name):
    found, expect = classified(name)
    said = {
        "ai": sorted([row["system"], row["role"], row["class"], str(row["applies_from"])] for row in found["ai_act"]),
        "cra": [[row["product"], row["class"]] for row in found["cra"]],
    }
    wanted = dict(expect)
    if "ai" in expect:
        wanted["ai"] = sorted([*row[:3], str(row[3])] for row in expect["ai"])
    assert said["ai" if "ai" in expect else "cra"] == wanted["ai" if "ai" in expect else "cra"], CASES[name]["law"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if {"fine", "fine_not"} & case["expect"].keys()])
def test_fines(name):
    found, expect = classified(name)
    rows = [
        [row["act"], row["fixed_eur"], row["percent"], row["rule"].removeprefix("whichever is "), row["amount_eur"]]
        for row in found["fines"]
    ]
    for wanted in expect.get("fine", ()):
        assert wanted in rows, CASES[name]["law"]
    assert not {row[0] for row in rows} & set(expect.get("fine_not", ()))


STANDINGS = {"binding": Standing.BINDING, "upcoming": Standing.UPCOMING, "undetermined": Standing.UNDETERMINED}


def board(document, story):
    """Sign the classification and return where the tenant then stands towards a measure and the regulation."""
    story.add(ENTITY.evidence, dict(drafts(document, "name: x\n", SIGNING)[0].claims), strength=ENTITY.strength)
    facts = duties.circumstances(CATALOG, Records.of(story.tenant, story.statements), story.now)
    named = (CATALOG.obligations[name] for name in ("nis2-21.2.h", "ir2690-9"))
    return tuple(duties.duty(one, facts, CATALOG, story.now).standing for one in named)


def expected(document):
    nis2, binds = document["nis2"], document["binds_2690"]
    bound = STANDINGS[nis2["status"]] if nis2["category"] in ("essential", "important") else Standing.NOT_OURS
    measure = Standing.UNDETERMINED if nis2["category"] == "undetermined" else bound
    if document["jurisdiction"] == "undetermined":  # signed without its candidates: the board knows less, never more
        return Standing.UNDETERMINED, Standing.UNDETERMINED if document["concerns_2690"] is not False else listed(binds)
    if document["lex_specialis"] == "DORA" and measure is not Standing.UNDETERMINED:
        measure = Standing.NOT_OURS
    return measure, Standing.UPCOMING if binds is False and document["concerns_2690"] else listed(binds)


def listed(binds):
    return {True: Standing.BINDING, None: Standing.UNDETERMINED, False: Standing.NOT_OURS}[binds]


def test_what_is_signed_puts_the_board_where_the_classification_stands():
    apart = []
    for name, case in CASES.items():
        if "on" in case["expect"]:
            continue
        document, _ = classified(name)
        if board(document, Story()) != expected(document):
            apart.append((name, board(document, Story()), expected(document)))
    assert apart == []

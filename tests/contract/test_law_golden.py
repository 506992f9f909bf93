"""Numbers, titles, dates and addressees of the law, against files that were written by hand from the law reference."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from ringfence.obligations import catalog, reading
from ringfence.obligations.model import Who

LAW = Path(__file__).parents[1] / "vectors" / "law"
OBLIGATIONS = catalog.load().obligations
ENTITY = (Who.ENTITY, Who.ENTITY_BUT_FINANCIAL)


def golden(name):
    return json.loads((LAW / f"{name}.json").read_text("utf-8"))


NIS2, ANNEX, AI, CRA, DATES = map(golden, ("nis2_21_2", "ir2690_annex", "ai_articles", "cra_annex_i", "dates"))


def text(start):
    if start is None or isinstance(start, str):
        return start
    return start.isoformat() if isinstance(start, date) else {name: day.isoformat() for name, day in start.items()}


def one(act, provision):
    """Return the entry of a provision, found by what it cites and not by its id."""
    found = [o for o in OBLIGATIONS.values() if (o.act, o.provision) == (act, provision)]
    assert len(found) == 1, (act, provision, [o.id for o in found])
    return found[0]


def words(title, otherwise):
    """Return the words of a golden title that the paraphrase must hold too."""
    found = re.findall(r"[a-z-]{3,}", title.lower())
    small = {"the", "and", "for", "where", "least"}
    return {otherwise.get(word, word) for word in found if word not in small}


def numbered(pattern):
    return {found[1] for name in OBLIGATIONS if (found := re.fullmatch(pattern, name))}


def test_the_ten_letters_of_nis2_21_2_are_all_and_no_more():
    assert numbered(r"nis2-21\.2\.([a-z])") == set(NIS2["letters"]) == set("abcdefghij")


@pytest.mark.parametrize("letter", NIS2["letters"])
def test_each_letter_of_nis2_21_2_says_what_it_says(letter):
    entry = one("NIS2", f"21(2)({letter})")
    assert entry.id == f"nis2-21.2.{letter}"
    missing = words(NIS2["letters"][letter], NIS2["said_otherwise"].get(letter, {}))
    assert {word for word in missing if word not in entry.paraphrase.lower()} == set()
    assert (entry.who, entry.among, entry.applies_from) == (
        Who.ENTITY_BUT_FINANCIAL,
        ("essential", "important"),
        "national",
    )


@pytest.mark.parametrize("provision", NIS2["articles"])
def test_articles_of_nis2(provision):
    kind, says, among = NIS2["articles"][provision]
    entry = one("NIS2", provision)
    assert (entry.kind, list(entry.among)) == (kind, among)
    assert (entry.applies_from == "national") is (kind == "duty")
    assert says is None or says.lower() in entry.paraphrase.lower()


@pytest.mark.parametrize("number", ANNEX["sections"])
def test_each_section_of_the_annex_of_2024_2690_has_an_entry(number):
    entry = one("2024/2690", f"Annex {number}")
    headings = {n.split(".")[0] for n in ANNEX["sections"] if "." in n}
    assert entry.kind == ("basis" if number in headings else "duty")
    if entry.kind == "duty":
        assert (entry.who, entry.applies_from, entry.source) == (Who.LISTED_TYPE, "national", "V")
    else:
        assert ANNEX["sections"][number][0].lower() in entry.paraphrase.lower()


def test_no_point_of_the_annex_lies_outside_its_sections():
    for entry in OBLIGATIONS.values():
        if entry.act == "2024/2690" and entry.provision.startswith("Annex "):
            chapter, *rest = re.findall(r"\d+", entry.provision.removeprefix("Annex "))
            section = ".".join([chapter, *rest[:1]])
            assert section in ANNEX["sections"] or chapter in ("7", "9"), entry.id


def test_titles_of_the_annex_are_the_official_ones():
    document = yaml.safe_load(reading.package_file("nis2_2690.yaml"))
    rows = [row for part in document["sections"] for row in (part, *(part.get("subsections") or ()))]
    served = {row["id"]: [row["nis2"]] if isinstance(row["nis2"], str) else row["nis2"] for row in rows}
    assert {row["id"]: [row["title"], served[row["id"]]] for row in rows} == ANNEX["sections"]
    assert {n: ANNEX["sections"][n][0] for n in ANNEX["easily_confused"]} == ANNEX["easily_confused"]


@pytest.mark.parametrize("number", ANNEX["fixed_intervals"])
def test_the_annex_sets_four_intervals(number):
    assert ANNEX["fixed_intervals"][number] in one("2024/2690", f"Annex {number}").paraphrase


@pytest.mark.parametrize("criterion", ANNEX["criteria"])
def test_each_criterion_of_a_significant_incident_is_basis(criterion):
    assert one("2024/2690", f"Article {criterion}").kind == "basis"


def test_there_is_no_other_criterion():
    cited = {o.provision for o in OBLIGATIONS.values() if o.id.startswith("ir2690-article-")}
    known = {f"Article {c}" for c in ANNEX["criteria"]}
    heads = {f"Article {n}" for n in (1, 3, *range(5, 12), 14)} | {f"Article {n}" for n in ("2(2)", "3(2)", "3(3)")}
    assert cited == known | heads


@pytest.mark.parametrize("provision", AI["articles"])
def test_articles_of_the_ai_act(provision):
    says, among, start = AI["articles"][provision]
    entry = one("AI Act", provision)
    assert entry.kind == "duty"
    assert says.lower() in entry.paraphrase.lower()
    assert list(entry.among) == among
    assert text(entry.applies_from) == AI["dates"].get(start, start)


def test_a_class_of_the_ai_act_has_one_date_but_for_4a():
    wanted = {pair for dates in AI["dates"].values() for pair in dates.items()}
    maps = {
        o.id: text(o.applies_from)
        for o in OBLIGATIONS.values()
        if isinstance(text(o.applies_from), dict) and not o.id.startswith("ai-4a")
    }
    assert {pair for dates in maps.values() for pair in dates.items()} == wanted


@pytest.mark.parametrize("provision", AI["basis"])
def test_definitions_of_the_ai_act_ask_nothing(provision):
    assert one("AI Act", provision).kind == "basis"


@pytest.mark.parametrize(("part", "name"), [("i", "part_i"), ("ii", "part_ii")])
def test_the_points_of_annex_i_of_the_cra(part, name):
    points = CRA[name]
    assert numbered(rf"cra-i\.{part}\.((?:\d\.[a-z])|\d)") == set(points)
    for number, title in points.items():
        entry = OBLIGATIONS[f"cra-i.{part}.{number}"]
        first, *letter = number.split(".")
        assert entry.provision == f"I.{part.upper()}({first})" + "".join(f"({one_})" for one_ in letter)
        missing = words(title, CRA["said_otherwise"].get(number, {}))
        assert {word for word in missing if word not in entry.paraphrase.lower()} == set(), number
        assert text(entry.applies_from) == CRA["applies_from"]


@pytest.mark.parametrize("provision", CRA["articles"])
def test_articles_of_the_cra(provision):
    says, start = CRA["articles"][provision]
    entry = one("CRA", provision)
    assert says.lower() in entry.paraphrase.lower()
    assert (text(entry.applies_from), entry.who) == (start, Who.PRODUCT)


@pytest.mark.parametrize("row", DATES["dates"], ids=lambda row: row[0])
def test_golden_dates(row):
    _, name, kind, start, source, verified_on = row
    entry = OBLIGATIONS[name]
    found = text(entry.applies_from)
    assert (found[kind] if kind else found) == start
    assert (entry.source, entry.verified_on.isoformat()) == (source, verified_on)


@pytest.mark.parametrize(("name", "says"), DATES["in_text"])
def test_dates_of_transition_stand_in_the_text(name, says):
    assert says in OBLIGATIONS[name].paraphrase


def test_no_entry_applies_from_a_date_that_is_not_golden():
    found = set()
    for entry in OBLIGATIONS.values():
        start = text(entry.applies_from)
        found |= set(start.values()) if isinstance(start, dict) else {start} - {None, "national"}
    assert found == set(DATES["no_other_date"])


def test_every_act_has_its_own_addressees():
    found = {}
    for entry in OBLIGATIONS.values():
        if entry.kind == "duty":
            found.setdefault(entry.act, set()).add(entry.who)
    assert found == {
        "NIS2": {*ENTITY, Who.LISTED_TYPE_BUT_TRUST},
        "2024/2690": {Who.LISTED_TYPE},
        "AI Act": {Who.ANY_AI, Who.AI_ROLE, Who.AI_ROLE_IN_PART, Who.UNKNOWN},
        "CRA": {Who.PRODUCT},
        "GDPR": {Who.PERSONAL_DATA},
        "DORA": {Who.FINANCIAL_ENTITY},
    }


def test_an_id_says_what_is_cited():
    prefix = {"NIS2": "nis2", "2024/2690": "ir2690", "AI Act": "ai", "CRA": "cra", "GDPR": "gdpr", "DORA": "dora"}
    for entry in OBLIGATIONS.values():
        cited = entry.provision.removeprefix("Annex ") if entry.act == "2024/2690" else entry.provision
        made = cited.lower().replace("-(", "-").replace("(", ".").replace(")", "").replace("/", "-").replace(" ", "-")
        assert entry.id == f"{prefix[entry.act]}-{made}"

"""A team's files make more be asked: each way to ask for less is refused, with its place."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import catalog, overrides, reading
from ringfence.obligations.forms import shelf
from ringfence.obligations.model import Selection

CATALOG = catalog.load()
SCHEMA = reading.package_file("overrides.schema.json")
META = "meta: {version: 1, owner: security-lead, reviewed_on: '2026-11-22'}\n"
ASIDE = "{reason: no high-risk system is placed on the market, owner: security-lead, expires: '2027-05-01'}"
FIRST = CATALOG.controls[0].does_not_prove[0]


def written(*rows, meta=META, name="overrides/a.yaml"):
    lines = "".join(f"- {row}\n" for row in rows)
    return reading.parse(f"{meta}overrides:\n{lines}".encode(), source=name)


def row(target, *fields, because="a contract"):
    kind = "requirement" if "." in target else "control"
    return f"{{{', '.join([f'{kind}: {target}', *fields, f'because: {because}'])}}}"


def aside(old, new):
    return row("AIA-07", f"not_applicable: {ASIDE.replace(old, new)}")


def applied(*rows, **changes):
    return overrides.apply(CATALOG, [written(*rows, **changes)])


def test_without_files_the_rules_are_those_that_ship():
    assert overrides.apply(CATALOG, []) is CATALOG


def test_a_period_is_made_shorter():
    found = applied(row("bcm-04.failover", "freshness_days: 60"))
    assert found.requirements["bcm-04.failover"].freshness == timedelta(days=60)
    assert (
        replace(found.requirements["bcm-04.failover"], freshness=timedelta(days=92))
        == (CATALOG.requirements["bcm-04.failover"])
    )
    assert found.digest != CATALOG.digest


def test_what_is_bound_to_an_event_gets_a_period():
    assert applied(row("mod-01.signed", "freshness_days: 3650")).requirements["mod-01.signed"].freshness.days == 3650


def test_a_period_that_is_looked_back_over_is_not_made_shorter():
    """What failed would be out of sight the sooner: where every statement within the period counts, less would be."""
    all_of_it = replace(CATALOG.requirements["bcm-04.failover"], selection=Selection.EVERY)
    rules = replace(CATALOG, requirements={**CATALOG.requirements, "bcm-04.failover": all_of_it})
    with pytest.raises(MalformedInput, match="would look back less far"):
        overrides.apply(rules, [written(row("bcm-04.failover", "freshness_days: 60"))])


def test_a_strength_is_made_stronger():
    strong = applied(row("sec-06.probes", "strength: attested")).requirements["sec-06.probes"]
    assert strong.strength is Strength.ATTESTED


def test_a_control_leaves_more_open():
    found = applied(row("SEC-11", "does_not_prove: [That the second site was visited this year.]"))
    ours, control = (next(c for c in rules.controls if c.id == "SEC-11") for rules in (CATALOG, found))
    assert control.does_not_prove == (*ours.does_not_prove, "That the second site was visited this year.")


def test_a_control_that_a_file_sets_aside_is_only_noted():
    found = applied(row("AIA-07", f"not_applicable: {ASIDE}"))
    assert found.controls == CATALOG.controls
    aside = found.overrides.set_aside["AIA-07"]
    assert (aside.owner, aside.expires, aside.file) == (
        "security-lead",
        date(2027, 5, 1),
        found.overrides.files[0].digest,
    )


# What would ask for less, or for something else, and the sentence that refuses it.
REFUSED = {
    "the same period": (row("bcm-04.failover", "freshness_days: 92"), "shorter only; ours is 92 days"),
    "a longer period": (row("bcm-04.failover", "freshness_days: 93"), "shorter only"),
    "a longer period than the law's": (row("inc-06.check", "freshness_days: 93"), "ours is 92 days, by law"),
    "no period": (row("bcm-04.failover", "freshness_days: null"), "from 1 to 3650"),
    "a period of none": (row("bcm-04.failover", "freshness_days: 0"), "from 1 to 3650"),
    "a negative period": (row("bcm-04.failover", "freshness_days: -1"), "from 1 to 3650"),
    "a period as a text": (row("bcm-04.failover", "freshness_days: '60'"), "from 1 to 3650"),
    "a period as a truth": (row("bcm-04.failover", "freshness_days: true"), "from 1 to 3650"),
    "a period beyond ten years": (row("mod-01.signed", "freshness_days: 3651"), "from 1 to 3650"),
    "the same strength": (row("sec-06.probes", "strength: observed"), "stronger only; ours is observed"),
    "a weaker strength": (row("sec-06.probes", "strength: declared"), "stronger only"),
    "a strength that is none": (row("sec-06.probes", "strength: certain"), "is not a strength"),
    "a form above documented": (row("bcm-04.failover", "strength: observed"), "no evidence could ever meet it"),
    "a strength of nobody": (row("dat-01.sealed", "strength: attested"), "no evidence could ever meet it"),
    "other issuers": (row("sec-06.probes", "issuers: [operator]"), "'issuers' cannot be overridden"),
    "a condition": (row("sec-06.probes", "conditions: []"), "'conditions' cannot be overridden"),
    "a text": (row("SEC-11", "title: Otherwise"), "'title' cannot be overridden"),
    "a status": (row("SEC-11", "state: satisfied"), "'state' cannot be overridden"),
    "an obligation": ("{obligation: nis2-20.1, because: a contract}", "exactly one requirement or one control"),
    "two targets": ("{requirement: log-02.chain, control: LOG-02, because: a contract}", "exactly one"),
    "nothing": (row("SEC-11"), "says does_not_prove or not_applicable"),
    "no reason": ("{requirement: bcm-04.failover, freshness_days: 60}", "because is a text"),
    "an unknown rule": (row("acc-01.nothing", "freshness_days: 1"), "no requirement is called 'acc-01.nothing'"),
    "an unknown control": (row("XXX-01", f"not_applicable: {ASIDE}"), "no control is called 'XXX-01'"),
    "a field of the other kind": (row("LOG-02", "freshness_days: 1"), "'freshness_days' cannot be overridden"),
    "a rule set aside": (row("log-02.chain", f"not_applicable: {ASIDE}"), "'not_applicable' cannot be overridden"),
    "no sentence": (row("SEC-11", "does_not_prove: []"), "1 to 10 sentences"),
    "a sentence as text": (row("SEC-11", "does_not_prove: everything at all"), "1 to 10 sentences"),
    "a short sentence": (row("SEC-11", "does_not_prove: [Much.]"), "a text of 10 to 300"),
    "our own sentence": (row(CATALOG.controls[0].id, f"does_not_prove: ['{FIRST}']"), "stands there already"),
    "a sentence twice": (row("SEC-11", "does_not_prove: [That it rains., That it rains.]"), "stands there already"),
    "an end too far": (aside("2027-05-01", "2027-11-24"), "at most 366 days"),
    "no end": (aside(", expires: '2027-05-01'", ""), "has reason, owner"),
    "an end that is none": (aside("05-01", "13-01"), "is not a date"),
    "a person": (aside("security-lead", "Ada Lovelace"), "is a role"),
    "a short reason": (aside("no high-risk system is placed on the market", "nobody"), "reason is a text"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_whatever_loosens_is_refused_with_its_place(why):
    text, sentence = REFUSED[why]
    with pytest.raises(MalformedInput, match=sentence) as refused:
        applied(row("sec-07.reachability", "freshness_days: 3"), text)
    assert str(refused.value).startswith("overrides/a.yaml:4:")


def test_one_bad_row_refuses_every_file():
    good, bad = written(row("bcm-04.failover", "freshness_days: 60")), REFUSED["a longer period"][0]
    with pytest.raises(MalformedInput, match=r"overrides/b.yaml:3"):
        overrides.apply(CATALOG, [good, written(bad, name="overrides/b.yaml")])


@pytest.mark.parametrize("target", ["bcm-04.failover", "SEC-11"])
def test_two_files_that_name_one_thing_are_refused(target):
    fields = "freshness_days: 60" if "." in target else "does_not_prove: [That anybody has looked.]"
    files = [written(row(target, fields), name=f"overrides/{name}.yaml") for name in "ab"]
    with pytest.raises(MalformedInput, match=r"b.yaml:3.*in overrides/a.yaml already"):
        overrides.apply(CATALOG, files[::-1])


@pytest.mark.parametrize(
    "meta",
    [
        META.replace("version: 1", "version: 2"),
        META.replace("version: 1", "version: true"),
        META.replace("security-lead", "Ada Lovelace"),
        META.replace("2026-11-22", "2026-11-31"),
        META.replace("}", ", more: 1}"),
        "meta: []\n",
    ],
)
def test_meta_says_who_looked_at_it_and_when(meta):
    with pytest.raises(MalformedInput, match=r"overrides/a.yaml:1"):
        applied(row("bcm-04.failover", "freshness_days: 60"), meta=meta)


def test_a_file_says_something():
    with pytest.raises(MalformedInput, match="1 to 500 rows"):
        overrides.apply(CATALOG, [reading.parse(f"{META}overrides: []".encode(), source="a")])
    rows = [row("bcm-04.failover", "freshness_days: 60")] * 501
    with pytest.raises(MalformedInput, match="1 to 500 rows"):
        applied(*rows)


def test_the_day_of_looking_has_come():
    document = written(row("bcm-04.failover", "freshness_days: 60"))
    overrides.check_day(document, date(2026, 11, 22))
    with pytest.raises(MalformedInput, match="has not come yet"):
        overrides.check_day(document, date(2026, 11, 21))


def test_no_rule_whose_evidence_people_state_can_ask_for_more_than_their_word():
    for rule in CATALOG.requirements.values():
        if rule.evidence in shelf.types() and rule.issuers == {KeyRole.OPERATOR}:
            with pytest.raises(MalformedInput, match="no evidence could ever meet it"):
                applied(row(rule.id, "strength: observed"))


def test_the_published_schema_takes_what_is_taken_and_refuses_most_of_the_rest():
    good = written(row("bcm-04.failover", "freshness_days: 60"), row("AIA-07", f"not_applicable: {ASIDE}"))
    reading.validate(good, SCHEMA)
    beyond = {  # what only the rules themselves can tell
        *("the same period", "a longer period", "a longer period than the law's", "an unknown rule"),
        *("the same strength", "a form above documented", "a strength of nobody", "an unknown control"),
        *("our own sentence", "an end too far", "an end that is none"),
    }
    taken = set()
    for why, (text, _) in REFUSED.items():
        try:
            reading.validate(written(text), SCHEMA)
            taken.add(why)
        except MalformedInput:
            pass
    assert taken == beyond


def test_values_that_travelled_are_taken_like_files():
    made = applied(row("bcm-04.failover", "freshness_days: 60"))
    files = [{"name": file.name, "value": file.value} for file in made.overrides.files]
    assert overrides.apply(CATALOG, overrides.of_values(files)) == made


@pytest.mark.parametrize(
    "files",
    [None, {}, [1], [{"name": "a"}], [{"name": 1, "value": {}}], [{"name": "a", "value": {}, "more": 1}], [{}] * 51],
)
def test_what_is_no_list_of_files_is_refused(files):
    with pytest.raises(MalformedInput):
        overrides.of_values(files)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"meta": {"version": 1, "owner": "lead", "reviewed_on": "2026-11-22"}, "overrides": [7]},
        {"meta": {"version": 1, "owner": "lead", "reviewed_on": "2026-11-22"}, "overrides": [{"control": []}]},
        {"meta": {"version": 1, "owner": "lead", "reviewed_on": []}, "overrides": [{"control": "LOG-01"}]},
        {"meta": None, "overrides": [{}]},
    ],
)
def test_values_of_a_stranger_are_refused_in_a_sentence(value):
    with pytest.raises(MalformedInput):
        overrides.apply(CATALOG, overrides.of_values([{"name": "a", "value": value}]))


def test_the_digest_says_which_files_they_are():
    one, other = (written(row("bcm-04.failover", f"freshness_days: {days}")) for days in (60, 61))
    digests = {overrides.apply(CATALOG, files).digest for files in ([one], [other], [replace(one, source="b")])}
    assert len(digests | {CATALOG.digest}) == 4
    made = overrides.apply(CATALOG, [one])
    assert made.digest == Digest.of(CATALOG.digest.value + made.overrides.digest.value)


def test_each_row_keeps_its_reason():
    found = applied(row("bcm-04.failover", "freshness_days: 60", because="a hospital"))
    assert list(overrides.reasons(found)) == [("overrides/a.yaml", "bcm-04.failover", "a hospital")]

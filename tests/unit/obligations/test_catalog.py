import json
import re
from datetime import date
from pathlib import Path

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, reading
from ringfence.obligations.provisions import listed, written
from ringfence.obligations.scope import rules

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors" / "obligations" / "golden.json").read_text("utf-8"))
CATALOG = catalog.load()
HIGH_RISK = {"high_risk_annex_III": "2027-12-02", "high_risk_annex_I": "2028-08-02"}


def text_of(start):
    if start is None or isinstance(start, str):
        return start
    return str(start) if isinstance(start, date) else {name: str(day) for name, day in start.items()}


OPEN_END = re.compile(r"(That|Anything|How|What|Where) .+\.")  # what a record does not prove

SHIPPED = {name: reading.read(name) for name in catalog.FILES}


def document(name, text):
    schema = reading.package_file(name.partition("/")[0] + ".schema.json")
    return reading.validate(reading.parse(text.encode(), source=name), schema)


def assembled(file, old, new):
    name = f"{file}.yaml"
    text = SHIPPED[name].data.decode()
    assert old in text
    return catalog.assemble(SHIPPED | {name: document(name, text.replace(old, new, 1))}, rules.load())


def test_provisions_and_dates_are_those_of_the_golden_file():
    assert {
        o.id: [
            *(o.act, o.provision, o.kind, text_of(o.applies_from)),
            *(o.who.value, list(o.among), o.source, str(o.verified_on)),
        ]
        for o in CATALOG.obligations.values()
    } == GOLDEN["obligations"]


def test_controls_and_their_mappings_are_those_of_the_golden_file():
    assert {
        c.id: [
            *(c.title, c.tier, list(c.obligations), c.freshness_days, c.period_basis),
            {name: list(codes) for name, codes in c.maps.items()},
        ]
        for c in CATALOG.controls
    } == GOLDEN["controls"]


def test_national_dates_are_those_of_the_golden_file():
    assert {
        s.code: [str(s.in_force) if s.in_force else None, s.status, s.source] for s in CATALOG.national.values()
    } == GOLDEN["national"]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("ai-15.5", HIGH_RISK),
        ("ai-19.1", HIGH_RISK),
        ("ai-50", {"transparency": "2026-08-02"}),
        ("ai-5", "2025-02-02"),
        ("cra-i.i.2.f", "2027-12-11"),
        ("nis2-21.2.h", "national"),
        ("ir2690-11.2", "national"),
        ("gdpr-32", "2018-05-25"),
    ],
)
def test_dates_that_others_get_wrong(name, start):
    assert text_of(CATALOG.obligations[name].applies_from) == start


def test_every_control_says_what_it_does_not_prove_and_what_to_do_next():
    for control in CATALOG.controls:
        assert control.does_not_prove
        assert all(OPEN_END.fullmatch(sentence) for sentence in control.does_not_prove)
        assert control.next_step.startswith("ringfence ")


def test_every_provision_that_a_control_maps_to_is_an_obligation_of_that_act():
    acts = {
        "nis2": "NIS2",
        "ir_2024_2690": "2024/2690",
        "ai_act": "AI Act",
        "cra": "CRA",
        "gdpr": "GDPR",
        "dora": "DORA",
    }
    for control in CATALOG.controls:
        mapped = {
            (acts[name], written(name, one))
            for name, texts in control.maps.items()
            if name in acts
            for text in texts
            for one in listed(text)
        }
        served = {(CATALOG.obligations[o].act, CATALOG.obligations[o].provision) for o in control.obligations}
        assert {
            (act, provision.removeprefix("Annex ") if act == "2024/2690" else provision) for act, provision in served
        } == mapped


def test_no_rule_stands_without_a_control():
    assert {r.control for r in CATALOG.requirements.values()} == {c.id for c in CATALOG.controls}


@pytest.mark.parametrize("name", catalog.FILES)
def test_every_file_of_the_package_is_what_its_schema_takes(name):
    assert reading.shipped(name) == SHIPPED[name]


def test_ids_are_tokens_that_oscal_takes():
    token = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
    names = [*CATALOG.obligations, *CATALOG.requirements, *(c.id for c in CATALOG.controls)]
    assert all(token.fullmatch(name) for name in names)


def test_the_data_claims_nothing_that_nobody_can_prove():
    # One letter of each word stands in brackets, so that this file does not hold what it forbids.
    forbidden = re.compile(r"compl[i]ant|cert[i]fied|guar[a]nte|\bArt(?:icle)? 52\b", re.IGNORECASE)
    for name in catalog.FILES:
        assert not forbidden.search(reading.package_file(name).decode())
    assert forbidden.search("Compl" + "iant")


def test_no_source_of_a_paraphrase_is_unmarked():
    for obligation in CATALOG.obligations.values():
        assert (obligation.source == "-") <= (obligation.paraphrase is None)


def test_the_digest_changes_with_any_byte_of_any_file():
    digests = {catalog.digest_of(SHIPPED, rules.load())}
    for name in catalog.FILES:
        changed = dict(SHIPPED)
        changed[name] = reading.parse(reading.package_file(name) + b"# x\n", source=name)
        digests.add(catalog.digest_of(changed, rules.load()))
    assert len(digests) == len(catalog.FILES) + 1
    assert CATALOG.digest in digests


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("controls/gov", "id: GOV-03", "id: GOV-01", "'GOV-01' stands twice"),
        ("controls/gov", "id: GOV-03", "id: GOV-99", "no evidence requirement belongs to GOV-99"),
        ("obligations/nis2", "id: nis2-3\n", "id: nis2-2\n", "'nis2-2' stands twice"),
        ("obligations/ai", "'2025-02-02'", "'2025-02-31'", "'2025-02-31' is not a date"),
        ("requirements/log", "control: LOG-02", "control: LOG-09", "no control is called 'LOG-09'"),
        (
            "requirements/gov",
            "of: gov-01.classification",
            "of: gov-01.other",
            "no requirement is called 'gov-01.other'",
        ),
        ("requirements/dat", "of: dat-01.sealed", "of: gov-03.system", "cannot itself be drawn"),
        ("requirements/dat", "of: dat-01.verified", "of: dat-01.other", "no requirement is called 'dat-01.other'"),
    ],
)
def test_a_reference_to_nothing_is_refused_with_its_place(file, old, new, says):
    with pytest.raises(MalformedInput, match=says) as caught:
        assembled(file, old, new)
    assert caught.value.source == f"{file}.yaml"
    text = SHIPPED[f"{file}.yaml"].data.decode()
    assert caught.value.line == text[: text.index(old)].count("\n") + 1
    assert caught.value.column >= 3


def test_a_provision_that_nobody_knows_is_refused_at_the_maps():
    with pytest.raises(MalformedInput, match="no obligation is called 'nis2-99'") as caught:
        assembled("controls/gov", "'27'", "'99'")
    assert SHIPPED["controls/gov.yaml"].data.decode().splitlines()[caught.value.line - 1] == "    nis2:"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("controls/gov", "  - That nothing has changed since the day it was signed.", "  - ''"),
        ("controls/gov", "tier: core", "tier: best"),
        ("controls/gov", "title: Entity classification", "titel: Entity classification"),
        ("obligations/nis2", "  kind: duty", "  kind: wish"),
        ("obligations/nis2", "source: V", "source: X"),
        ("obligations/nis2", "who: entity\n", "who: everyone\n"),
        ("obligations/nis2", "    among:\n    - essential\n    - important\n", ""),
        ("requirements/gov", "issuers: [operator]", "issuers: []"),
        ("requirements/gov", "strength: documented", "strength: strong"),
        ("requirements/gov", "op: present, because", "op: absent, because"),
        ("requirements/gov", "op: present, because", "op: present, value: 1, because"),
        ("requirements/dat", "op: at-least, value: 1", "op: at-least, value: '1'"),
        ("requirements/dat", "op: at-least, value: 1", "op: at-least"),
        ("requirements/gov", "freshness_days: 365", "freshness_days: 0"),
        ("requirements/gov", "freshness_days: 365", "freshness_days: null"),
        ("requirements/gov", "selection: latest\n", "selection: best\n"),
    ],
)
def test_a_file_that_its_schema_does_not_take_is_refused_on_its_line(file, old, new):
    with pytest.raises(MalformedInput) as caught:
        assembled(file, old, new)
    assert (caught.value.source, caught.value.line > 3) == (f"{file}.yaml", True)


def test_the_requirements_of_a_control_come_in_the_order_of_the_file():
    assert [r.id for r in CATALOG.of("LOG-02")] == ["log-02.chain", "log-02.head", "log-02.retention"]
    assert CATALOG.of("XXX-01") == ()

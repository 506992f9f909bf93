"""The file format: both samples, the published schema, and refusals with their place."""

import json
from datetime import date
from importlib import resources

import jsonschema
import pytest
import yaml

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.model import Earlier, Relation
from ringfence.obligations.scope.organisation import parse
from ringfence.testing.organisations import customer, model, product, profile, system

SCHEMA = json.loads((resources.files("ringfence.obligations") / "data" / "organisation.schema.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", ["sample", "licence-only"])
def test_samples_parse_and_meet_the_published_schema(name):
    text = rules.sample(name)
    assert parse(text.encode()).name.startswith("Example")
    plain = yaml.safe_load(text)
    for one in plain["ai_systems"] + plain["products"]:
        one["placed_on_market"] = str(one["placed_on_market"])
    VALID.validate(plain)


def whole():
    linked = {"name": "Parent", "relation": "linked", "capital_percent": 60, "votes_percent": 60, "staff": 5}
    return profile(
        main_establishment={"risk_decisions": "DE", "security_operations": "undeterminable"},
        representative="none",
        size__group=[linked | {"exempt_investor": False, "turnover": 5, "balance": 5}],
        size__earlier_periods=[{"staff": 5, "turnover": 5, "balance": 5}],
        services=["gpu_cloud", {"type": "trust_service_provider", "qualified": None}],
        customers=[customer(turnover=3, balance=3)],
        ai_systems=[system(), model(modification_compute=3, original_compute=5, compute_estimated=True)],
        products=[product()],
    )


def test_every_key_of_the_schema_is_read_and_no_other():
    VALID.validate(whole())
    asked = _asked(whole())
    assert asked["organisation"] == set(SCHEMA["properties"])
    for name in ("customer", "system", "product", "enterprise"):
        assert asked[name] == set(SCHEMA["$defs"][name]["properties"]), name
    assert asked["size"] == set(SCHEMA["properties"]["size"]["anyOf"][0]["properties"])
    assert asked["designations"] == set(SCHEMA["properties"]["designations"]["anyOf"][0]["properties"])


def _asked(document):
    """Return the keys that the parser knows, by putting one to each place that it does not know."""
    places = {
        "organisation": document,
        "size": document["size"],
        "designations": document["designations"],
        "customer": document["customers"][0],
        "system": document["ai_systems"][0],
        "product": document["products"][0],
        "enterprise": document["size"]["group"][0],
    }
    found = {}
    for name, place in places.items():
        place["surprise"] = 1
        with pytest.raises(MalformedInput, match="'surprise' is not known") as caught:
            parse(json.dumps(document).encode())
        found[name] = set(str(caught.value).split("known are: ")[1].split(", "))
        del place["surprise"]
    return found


def test_words_of_the_schema_are_those_of_the_rules():
    definitions = SCHEMA["$defs"]
    assert set(definitions["service"]["anyOf"][0]["enum"]) == set(rules.load().activities)
    purposes = definitions["system"]["properties"]["purposes"]["anyOf"][0]["items"]["enum"]
    assert set(purposes) == set(rules.load().ai_act["purposes"])
    assert set(definitions["product"]["properties"]["core_function"]["enum"]) >= set(rules.load().cra["core_functions"])


def test_json_and_yaml_say_the_same():
    document = whole()
    assert parse(json.dumps(document).encode()) == parse(json.dumps(document, indent="\t").encode())
    assert parse(json.dumps(document).encode()) == parse(yaml.safe_dump(document).encode())


def test_what_is_read():
    found = parse(json.dumps(whole()).encode())
    assert found.size.enterprises[0].relation is Relation.LINKED
    assert found.size.earlier[0].staff == 5
    assert found.services[1].qualified is None
    assert parse(b"name: x\nsize: {earlier_periods: take_over}\n").size.earlier is Earlier.TAKE_OVER
    day = b"name: x\nproducts: [{name: y, placed_on_market: 2026-02-03}]\n"
    assert parse(day).products[0].placed_on == date(2026, 2, 3)


def test_everything_but_the_name_can_be_absent():
    found = parse(b"name: x\n")
    assert (found.services, found.customers, found.size.figures.staff) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("size: {}\n", 1, 1, "name: a name is needed"),
        ("name: x\nstuff: 3\n", 2, 1, "'stuff' is not known"),
        ("name: x\nname: y\n", 2, 1, "stands twice"),
        ("name: x\nsize:\n  staff: -3\n", 3, 10, "size.staff"),
        ("name: x\nsize:\n  staff: many\n", 3, 10, "size.staff"),
        ("name: x\nsize:\n  turnover: 1.5\n", 3, 13, "whole euros"),
        ("name: x\nsize: [1]\n", 2, 7, "keys with values"),
        ("name: x\nestablished_in: [DE, XX]\n", 2, 22, "not a country code"),
        ("name: x\nestablished_in: DE\n", 2, 17, "a list is expected"),
        ("name: x\nservices: [gpu_clout]\n", 2, 12, "did you mean gpu_cloud?"),
        ("name: x\nservices: [qqqq]\n", 2, 12, "none_of_these"),
        ("name: x\nservices: [{qualified: yes}]\n", 2, 12, "needs its type"),
        ("name: x\nservices: [{type: gpu_cloud, qualified: yes}]\n", 2, 30, "'qualified' is not known"),
        ("name: x\nrepresentative: US\n", 2, 17, "no Member State"),
        ("name: x\nestablished_in: [DE]\nmain_establishment: {risk_decisions: FR}\n", 3, 38, "not among"),
        ("name: x\nsize: {earlier_periods: sometimes}\n", 2, 25, "none of"),
        ("name: x\nsize: {earlier_periods: []}\n", 2, 25, "1 to 3 periods"),
        ("name: x\nai_systems: [{purposes: [employment]}]\n", 2, 14, "a name is needed"),
        ("name: x\nai_systems: [{name: y, purposes: [world_peace]}]\n", 2, 35, "none of"),
        ("name: x\nai_systems: [{name: y}, {name: z}, {name: y}]\n", 2, 13, "'y' stands twice"),
        ("name: x\nproducts: [{name: y}, {name: y}]\n", 2, 11, "'y' stands twice"),
        ("name: x\nemployees: 3\n", 2, 1, "did you mean size: {staff"),
        ("name: x\nservices: [Hospital]\n", 2, 12, "did you mean healthcare_provider?"),
        ("name: x\nservices: gpu_cloud\n", 2, 11, "for instance [gpu_cloud]"),
        ("name: x\ncustomers: none\n", 2, 12, "for instance [] for none"),
        ('name: x\nsize: {staff: "60"}\n', 2, 15, "60 without quotes"),
        ("name: x\nproducts: [{name: y, placed_on_market: soon}]\n", 2, 40, "a day such as"),
    ],
)
def test_refusals_point_to_their_place(text, line, column, words):
    with pytest.raises(MalformedInput) as caught:
        parse(text.encode(), source="o.yaml")
    assert words in str(caught.value)
    assert (caught.value.source, caught.value.line, caught.value.column) == ("o.yaml", line, column)


@pytest.mark.parametrize(
    "enterprise",
    [
        "{relation: partner, votes_percent: 60}",
        "{relation: autonomous, votes_percent: 60}",
        "{relation: partner, capital_percent: 10, votes_percent: 20}",
        "{relation: autonomous, capital_percent: 30}",
        "{relation: linked, votes_percent: 101}",
    ],
)
def test_contradictions_about_the_group_are_refused(enterprise):
    with pytest.raises(MalformedInput, match=r"size\.group\[0\]\."):
        parse(f"name: x\nsize: {{group: [{enterprise}]}}\n".encode())


def test_an_exempt_investor_may_be_called_autonomous():
    text = "name: x\nsize: {group: [{relation: autonomous, capital_percent: 30, exempt_investor: yes}]}\n"
    assert parse(text.encode()).size.enterprises[0].exempt_investor


def test_nothing_designated_can_be_said_in_one_word():
    each = b"cer_critical_entity: no, identified_by_member_state: none, former_operator_of_essential_services: no"
    name, given = b"name: x\n", b"designations: {" + each + b", exclusion: none}"
    assert parse(name + b"designations: none") == parse(name + given)
    assert parse(name + b"designations: unknown") == parse(name + b"designations: {}") == parse(name)
    assert parse(name) != parse(name + given)
    VALID.validate({"name": "x", "designations": "none"})
    with pytest.raises(MalformedInput, match="designations"):
        parse(name + b"designations: never")

import json

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, edition, reading
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.document import shipped


@pytest.fixture(scope="module")
def printed():
    documents = {name: reading.shipped(name) for name in catalog.FILES}
    return edition.printed(
        documents, rules.load(), {name: shipped(reading.package_file(name)) for name in rules.PARSED}
    )


def test_the_rules_that_travel_are_the_rules(printed):
    assert edition.parse(printed) == catalog.load()


def damaged(printed, change):
    document = json.loads(printed)
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("law"),
        lambda document: document["documents"].pop("profiles.yaml"),
        lambda document: document["documents"].update({"controls/gov.yaml": []}),
        lambda document: document["documents"]["controls/gov.yaml"]["controls"][0].pop("maps"),
        lambda document: document["documents"]["requirements/log.yaml"]["requirements"][0].update(strength=7),
        lambda document: document.update(version="7"),
        lambda document: document["law"].update(values={}),
    ],
)
def test_what_is_no_edition_is_refused_in_a_sentence(printed, change):
    with pytest.raises(MalformedInput):
        edition.parse(damaged(printed, change), source="old.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b"null"])
def test_neither_is_anything_else(data):
    with pytest.raises(MalformedInput, match=r"old\.json"):
        edition.parse(data, source="old.json")


def test_what_anybody_sent_is_held_against_the_schemas(printed):
    assert edition.received(printed) == catalog.load()

    def change(document):
        document["documents"]["requirements/log.yaml"]["requirements"][0].update(freshness_days=10**15)

    assert len(printed) * 3 < edition.MAX_RECEIVED
    with pytest.raises(MalformedInput):
        edition.received(damaged(printed, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: rule.update(asks=["a"]),
        lambda rule: rule.update(conditions=[{"path": "x", "op": "at-least", "because": "y", "value": {}}]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_before_it_is_used(printed, change):
    spoilt = damaged(
        printed, lambda document: change(document["documents"]["requirements/log.yaml"]["requirements"][0])
    )
    with pytest.raises(MalformedInput):
        edition.received(spoilt)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("-inf")])
def test_what_could_not_be_shown_again_is_refused(printed, value):
    def change(document):
        document["law"]["values"]["member_states.yaml"]["member_states"][0].update(code=value)

    with pytest.raises(MalformedInput):
        edition.received(damaged(printed, change))


def test_an_edition_that_is_too_large_is_not_parsed():
    with pytest.raises(MalformedInput, match=str(edition.MAX_RECEIVED)):
        edition.received(b" " * (edition.MAX_RECEIVED + 1))

"""What is written is read back as it was meant, by us and by any other reader of YAML."""

import json

import pytest
import yaml

from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.writing import Bare, to_yaml
from ringfence.testing.organisations import customer, model, product, profile, system

HOSTILE = ["NO", "no", "unknown", "1e5", "-", 'a: "b" #c', "ä\u00fc \U0001f600", "null", "[x]", "{x}", "&a", "0x1", "~"]


def whole():
    return profile(
        services=["gpu_cloud", {"type": "trust_service_provider", "qualified": True}],
        size__group=[{"name": "a", "relation": "linked", "staff": 3}],
        customers=[customer()],
        ai_systems=[system(), model()],
        products=[product()],
    )


def test_everything_is_read_back():
    assert parse(to_yaml(whole()).encode()) == parse(json.dumps(whole()).encode())


def test_other_readers_read_the_same():
    assert yaml.safe_load(to_yaml(whole())) == whole()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_anything_else(name):
    text = to_yaml({"name": name, "established_in": ["NO"]})
    assert yaml.safe_load(text) == {"name": name, "established_in": ["NO"]}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "unknown"])
def test_no_name_becomes_anything_else_for_us(name):
    assert parse(to_yaml({"name": name}).encode()).name == name


def test_what_is_unknown_is_left_out():
    text = to_yaml({"name": "x", "services": None, "size": {"staff": None}, "customers": []})
    assert "services" not in text
    assert "size" not in text
    assert "customers: []" in text


def test_a_number_stays_as_it_was_written():
    text = to_yaml({"name": "x", "size": {"staff": Bare("49.5")}})
    assert "staff: 49.5" in text
    assert parse(text.encode()).size.figures.staff == 49.5

import json

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs import privacy

LEAST = {"unit": "sequence", "mechanism": "dp-sgd", "accountant": "rdp", "epsilon": "2.0", "delta": "1.1e-10"}


def read(value):
    return privacy.read(json.dumps(value).encode(), source="privacy.json")


def test_what_is_absent_is_shown_as_not_stated():
    [found] = read(LEAST)
    missing = ("neighbouring", "sampling", "clippingNorm", "noiseMultiplier", "samplingRate", "steps")
    assert found.missing == missing
    assert privacy.parse(found.to_claims()) == found


def test_a_claim_with_everything_misses_nothing():
    whole = {"neighbouring": "add-remove", "sampling": "poisson", "clippingNorm": "1", "noiseMultiplier": "0.614"}
    [found] = read([LEAST | whole | {"samplingRate": "1e-4", "steps": 100_000}])
    assert found.missing == ()


@pytest.mark.parametrize("name", LEAST)
def test_what_a_claim_cannot_do_without(name):
    with pytest.raises(MalformedInput, match=name):
        read({key: value for key, value in LEAST.items() if key != name})


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": "-1"}, {"epsilon": "inf"}, {"epsilon": ""}, {"delta": "1,1"}, {"delta": 1}, {"unit": "person"},
        {"steps": -1}, {"steps": True}, {"steps": "9"}, {"samplingRate": "0.1x"}, {"more": "1"}, {"clippingNorm": None},
    ],
)  # fmt: skip
def test_hostile_claims_are_refused(wrong):
    with pytest.raises(MalformedInput, match=r"privacy\.json"):
        read(LEAST | wrong)


@pytest.mark.parametrize("wrong", [[], [LEAST] * 5, "x", 1, None, [1]])
def test_a_file_holds_claims(wrong):
    with pytest.raises(MalformedInput):
        read(wrong)


def test_numbers_are_text_since_a_statement_holds_no_floats():
    with pytest.raises(MalformedInput):
        privacy.read(b'{"epsilon": 2.0}', source="privacy.json")


def test_a_statement_has_every_field():
    with pytest.raises(MalformedInput):
        privacy.parse(LEAST)

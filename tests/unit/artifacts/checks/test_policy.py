import pytest

from ringfence.artifacts.checks import policy
from ringfence.artifacts.checks.model import Check, Level
from ringfence.kernel.errors import MalformedInput


def test_without_a_policy_everything_is_on():
    found = policy.parse({})
    assert {rule.level for rule in found.rules.values()} == {Level.FAIL}
    assert not any(rule.given for rule in found.rules.values())
    assert found.number(Check.DRIFT, "psi") == 0.1


def test_what_a_policy_says_is_what_holds():
    found = policy.parse(
        {
            "version": 1,
            "seed": 7,
            "sample": 500,
            "columns": {"label": "y", "keys": ["patient"], "identifiers": ["no"], "split": "s", "text": "t"},
            "checks": {
                "drift": {"level": "warn", "psi": 0.2},
                "outliers": "off",
                "triggers": False,
                "secrets": {"allow": ["npm-token"]},
                "labels": None,
            }
            | {"label-noise": {"share": 0.1}},
        }
        | {"checks": {"drift": {"level": "warn", "psi": 0.2}, "outliers": "off", "triggers": False}}
    )
    assert (found.seed, found.sample, found.label, found.keys) == (7, 500, "y", ("patient",))
    assert found.rules[Check.DRIFT].level is Level.WARN
    assert found.rules[Check.DRIFT].given
    assert found.number(Check.DRIFT, "psi") == 0.2
    assert found.rules[Check.OUTLIERS].level is found.rules[Check.TRIGGERS].level is Level.OFF


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"version": 2},
        {"more": 1},
        {"checks": {"unknown": "off"}},
        {"checks": {"drift": "maybe"}},
        {"checks": {"drift": {"psii": 1}}},
        {"checks": {"drift": {"psi": "0.1"}}},
        {"checks": {"drift": {"psi": True}}},
        {"checks": {"drift": {"alpha": 0.5}}},
        {"checks": {"drift": {"alpha": float("nan")}}},
        {"checks": {"drift": {"allow": ["x"]}}},
        {"checks": {"secrets": {"allow": ["everything"]}}},
        {"checks": {"secrets": {"allow": "npm-token"}}},
        {"columns": {"labels": "y"}},
        {"columns": {"label": 3}},
        {"columns": {"keys": "patient"}},
        {"seed": -1},
        {"sample": 10},
        {"sample": 1.5},
        {"checks": []},
    ],
)
def test_a_policy_that_is_not_understood_is_refused(document):
    with pytest.raises(MalformedInput):
        policy.parse(document, "policy.yaml")


def test_the_digest_names_the_rules():
    first = policy.parse({})
    assert first.digest == policy.parse({"version": 1}).digest
    for change in (
        {"seed": 2},
        {"checks": {"drift": {"psi": 0.2}}},
        {"checks": {"drift": "fail"}},
        {"columns": {"label": "y"}},
    ):
        assert policy.parse(change).digest != first.digest

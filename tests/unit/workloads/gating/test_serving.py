"""The policy that deployments obey: each rule denies by itself, and denies where what it reads is missing."""

import re
from copy import deepcopy
from importlib import resources

import cedarpy
import pytest

from ringfence.identity.policy import Policies
from ringfence.kernel.digest import Digest
from ringfence.workloads.gatefile import CONDITIONS
from ringfence.workloads.gating import cli, serving

BYTES, OTHER, FILE = str(Digest.of(b"bytes")), str(Digest.of(b"other")), str(Digest.of(b"file"))
GOOD = {
    "mode": "enforce",
    "loading": BYTES,
    "heldBack": False,
    "staging": False,
    "oldestMinutes": 60,
    "policyNow": FILE,
    "policySigned": FILE,
    "verdict": {"passed": True, "unmet": [], "ageMinutes": 5, "policy": FILE, "digest": BYTES},
    "now": {"passed": True, "unmet": []},
}
ATTACH = {"mode": "enforce", "heldBack": False, "attached": True, "policyNow": FILE, "policySigned": FILE}


def asked(context, digest=BYTES, policies=None):
    return serving.denials("serve", "person-0123456789ab", ("Model", {"digest": digest}), context, policies)


def attached(context):
    return serving.denials("attach", "person-0123456789ab", ("Endpoint", {}), context)


def changed(**changes):
    found = deepcopy(GOOD)
    for name, value in changes.items():
        first, _, second = name.partition("__")
        if second:
            found[first][second] = value
        else:
            found[first] = value
    return found


def test_a_model_that_passed_is_served():
    assert asked(GOOD) == []


DENIED = {
    "bytes-from-outside-wait-for-a-decision": changed(heldBack=True),
    "an-enforced-gate-has-a-verdict-on-these-bytes": changed(verdict__digest=OTHER),
    "the-verdict-is-not-too-old": changed(verdict__ageMinutes=61),
    "the-file-is-the-one-that-was-signed": changed(policyNow=OTHER),
    "every-condition-is-met": changed(verdict__passed=False, verdict__unmet=["scan"]),
    "every-condition-is-met-still": changed(now__passed=False, now__unmet=["approval"]),
}


@pytest.mark.parametrize("rule", DENIED)
def test_each_rule_denies_alone(rule):
    assert asked(DENIED[rule]) == [rule]


def test_other_bytes_than_were_asked_about_are_denied():
    assert asked(GOOD, digest=OTHER) == ["the-bytes-are-those-that-are-asked-about"]


@pytest.mark.parametrize(
    "context",
    [
        changed(verdict__ageMinutes=-1),
        changed(policySigned=OTHER),
        changed(verdict__policy=OTHER),
        changed(verdict__passed=False),
        changed(mode="off"),
        changed(staging=True, verdict__passed=False, verdict__unmet=["redteam", "scan"]),
        changed(staging=True, verdict__passed=False, verdict__unmet=[]),
        changed(staging=True, now__passed=False, now__unmet=["signed"]),
        changed(staging=True, now__passed=False, now__unmet=[]),
    ],
    ids=[
        "from the future",
        "signed another",
        "judged by another",
        "no reason",
        "unknown mode",
        "staging lacks more",
        "staging demands nothing",
        "staging lost more",
        "staging demands nothing now",
    ],
)
def test_what_is_near_is_denied(context):
    denied = asked(context)
    if context["mode"] == "off":
        assert denied == []  # everything else is good: an unknown mode is enforced, and this passes it
        assert asked({**context, "verdict": {**context["verdict"], "passed": False}})
        return
    assert denied


def test_a_staging_deployment_lacks_red_team_and_approval_and_nothing_else():
    lacking = {"verdict__passed": False, "verdict__unmet": ["approval", "redteam"]}
    lacking |= {"now__passed": False, "now__unmet": ["redteam"]}
    assert asked(changed(staging=True, **lacking)) == []
    assert asked(changed(**lacking)) == ["every-condition-is-met", "every-condition-is-met-still"]
    assert asked(changed(staging=True, heldBack=True, **lacking)) == ["bytes-from-outside-wait-for-a-decision"]


def test_observing_lets_through_what_the_gate_would_not_and_never_what_was_not_let_in():
    observing = {name: value for name, value in GOOD.items() if name not in {"verdict", "policySigned", "now"}}
    observing["mode"] = "observe"
    assert asked(observing) == []
    assert asked({**observing, "heldBack": True}) == ["bytes-from-outside-wait-for-a-decision"]
    assert asked(observing, digest=OTHER) == ["the-bytes-are-those-that-are-asked-about"]


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_missing_attribute_is_a_denial(missing):
    assert asked({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("missing", sorted(GOOD["verdict"]))
def test_a_missing_attribute_of_the_verdict_is_a_denial(missing):
    verdict = {name: value for name, value in GOOD["verdict"].items() if name != missing}
    assert asked({**GOOD, "verdict": verdict})


@pytest.mark.parametrize("missing", sorted(GOOD["now"]))
def test_a_missing_attribute_of_what_is_so_now_is_a_denial(missing):
    now = {name: value for name, value in GOOD["now"].items() if name != missing}
    assert asked({**GOOD, "now": now})


@pytest.mark.parametrize("missing", sorted(GOOD))
@pytest.mark.parametrize("rule", [*DENIED, "the-bytes-are-those-that-are-asked-about"])
def test_also_without_the_schema_a_rule_that_cannot_be_evaluated_is_a_denial(rule, missing):
    """The engine skips a `forbid` that reads what is missing: its diagnostic denies, or the rule says so itself."""
    text = (resources.files("ringfence.workloads.gating") / "data" / "serve.cedar").read_text()
    blocks = [block for block in text.split("@id(") if block.startswith((f'"{rule}"', '"people-serve-models"'))]
    assert len(blocks) == 2
    loose = Policies(cedarpy.PolicySet.from_str("".join(f"@id({block}" for block in blocks)), None, Digest.of(b""))
    assert asked(GOOD, policies=loose) == []
    base = DENIED.get(rule, GOOD)  # so that what the rule reads last is read, too
    without = {name: value for name, value in base.items() if name != missing}
    block = next(block for block in blocks if block.startswith(f'"{rule}"'))
    if re.search(rf"context(\.| has ){missing}\b", block):
        assert asked(without, policies=loose), (rule, missing)


@pytest.mark.parametrize(
    "context",
    [
        {**ATTACH, "attached": False},
        {**ATTACH, "heldBack": True},
        {name: value for name, value in ATTACH.items() if name != "heldBack"},
        {**ATTACH, "policySigned": OTHER},
        {name: value for name, value in ATTACH.items() if name != "policySigned"},
        {name: value for name, value in ATTACH.items() if name != "attached"},
        {name: value for name, value in ATTACH.items() if name != "mode"},
        {name: value for name, value in ATTACH.items() if name != "policyNow"},
    ],
)
def test_an_enforced_gate_attaches_only_where_the_signed_file_allows_it(context):
    assert attached(ATTACH) == []
    assert attached(context)


def test_an_observing_gate_attaches():
    found = {"mode": "observe", "heldBack": False, "attached": False, "policyNow": FILE}
    assert attached(found) == []
    assert attached({**found, "heldBack": True}) == ["bytes-from-outside-wait-for-a-decision"]


def test_every_rule_has_words_and_a_test():
    text = (resources.files("ringfence.workloads.gating") / "data" / "serve.cedar").read_text()
    rules = set(re.findall(r'@id\("([a-z-]+)"\)\s*forbid', text))
    assert rules == set(serving.WORDS)
    assert rules - set(DENIED) == {
        "the-bytes-are-those-that-are-asked-about", "an-enforced-gate-attaches-no-unseen-bytes"
    }  # fmt: skip


def test_what_the_schema_does_not_know_is_denied():
    assert serving.denials("delete", "p", ("Model", {"digest": BYTES}), GOOD)
    assert asked({**GOOD, "more": True})
    assert asked({**GOOD, "oldestMinutes": "60"})


def test_every_condition_says_how_it_is_supplied():
    assert set(cli.SUPPLY) == set(CONDITIONS)

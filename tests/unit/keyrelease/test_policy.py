"""The release policy: what each rule forbids, and that whatever is missing is a denial."""

import re

import pytest

from ringfence.kernel.errors import InternalError
from ringfence.keyrelease import deciding, policy
from ringfence.keyrelease.model import SENTENCES, Answer
from ringfence.testing.keyrelease import ANNA, WISH, World

TEXT, SCHEMA = (policy._data(name) for name in ("release.cedar", "release.cedarschema"))
FORBIDS = sorted(set(re.findall(r'@id\("([a-z-]+)"\)\s*forbid', TEXT)))


def good():
    """Return a request that is permitted."""
    world = World()
    found = []

    def keep(facts):
        found.append(facts)
        return policy.shipped()(facts)

    from dataclasses import replace

    replace(world.service(), policy=keep).release(ANNA, WISH)
    return policy.request_of(found[0])


def test_the_request_of_a_release_is_permitted():
    assert policy.shipped().decide(good()) == Answer(allowed=True, because=())


@pytest.mark.parametrize("kind", ["wrong type", "unknown attribute", "unknown action"])
def test_a_request_that_does_not_fit_the_schema_is_a_denial(kind):
    request = good()
    if kind == "wrong type":
        request.request["context"]["acceptable"] = "yes"
    elif kind == "unknown attribute":
        request.request["context"]["more"] = True
    else:
        request.request["action"]["id"] = "other"
    assert policy.shipped().decide(request) == Answer(allowed=False, because=(policy.ERROR,))


# The one change that only this rule stands against: where it is made, and to what.
BREAKS = {
    "nobody-leaves-their-tenant": ("node", "tenant", {"__entity": {"type": "Tenant", "id": "other"}}),
    "the-node-is-ready-and-not-cut-off": ("node", "cutOff", True),
    "evidence-must-hold": ("context", "acceptable", False),
    "the-kind-of-evidence-is-allowed": ("context", "family", "tdx"),
    "software-tpms-count-in-demo-tenants": ("context", "softwareTpm", True),
    "one-device-is-one-node": ("context", "deviceElsewhere", True),
    "the-class-of-node-is-allowed": ("node", "class", "namespace"),
    "the-purpose-is-allowed": ("context", "purpose", "resale"),
    "the-workload-is-allowed": ("context", "workload", "sha256:" + "0" * 64),
    "the-place-is-allowed": ("dataset", "places", ["DE"]),
    "no-quote-attests-a-place": ("context", "placeKind", "attested"),
    "who-asks-may-ask": ("context", "requesterAllowed", False),
}


def parts(request):
    """Return where a request's attributes stand."""
    return {
        "context": request.request["context"],
        "node": request.entities[0]["attrs"],
        "dataset": request.entities[1]["attrs"],
    }


def broken(forbid):
    """Return a request that only this rule stands against."""
    request = good()
    where, name, value = BREAKS[forbid]
    parts(request)[where][name] = value
    return request


def everything_read():
    """Return a request that is permitted and for which the engine reads every attribute."""
    request = good()
    found = parts(request)
    found["context"] |= {"softwareTpm": True, "demo": True, "place": "DE", "placeKind": "declared"}
    found["dataset"] |= {"softwareTpm": True, "places": ["DE"], "placeKinds": ["declared"]}
    assert policy.shipped().decide(request).allowed
    return request


@pytest.mark.parametrize("where", ["context", "node", "dataset"])
@pytest.mark.parametrize("validated", [True, False])
def test_a_missing_attribute_is_a_denial(where, validated):
    """The schema refuses it; and without the schema the engine's own complaint is a denial."""
    for name in sorted(parts(good())[where]):
        request = everything_read()
        del parts(request)[where][name]
        assert not policy.shipped().decide(request, validated=validated).allowed, name


@pytest.mark.parametrize("forbid", FORBIDS)
def test_each_rule_forbids_by_itself_and_is_named(forbid):
    assert policy.shipped().decide(broken(forbid)) == Answer(allowed=False, because=(forbid,))
    assert forbid in SENTENCES


@pytest.mark.parametrize("forbid", FORBIDS)
def test_without_a_rule_what_it_forbids_would_go_through_or_lack_its_permit(forbid):
    """Each rule is needed: taken out, the engine permits what it stood against, but where the permit says it again."""
    without = re.sub(rf'@id\("{forbid}"\)\s*forbid.*?;\n', "", TEXT, flags=re.DOTALL)
    assert without != TEXT
    answer = policy.ReleasePolicy.parse(without, SCHEMA).decide(broken(forbid))
    said_twice = {
        "nobody-leaves-their-tenant", "evidence-must-hold", "the-purpose-is-allowed", "the-workload-is-allowed",
    }  # fmt: skip
    assert answer.allowed == (forbid not in said_twice)


def test_a_skipped_forbid_is_a_denial():
    """The engine skips a rule that reads a missing attribute, and would permit."""
    text = TEXT.replace("context.deviceElsewhere", "context.elsewhere.device")
    with pytest.raises(InternalError):
        policy.ReleasePolicy.parse(text, SCHEMA)
    parsed = policy.shipped()
    request = good()
    del request.request["context"]["deviceElsewhere"]
    assert parsed.decide(request, validated=False) == Answer(allowed=False, because=(policy.ERROR,))


def test_a_policy_that_says_no_without_a_reason_is_a_denial_with_one():
    world, found = World(), []
    from dataclasses import replace

    def silent(facts):
        found.append(deciding.refusal(facts, lambda _: Answer(allowed=False, because=())))
        return Answer(allowed=False, because=())

    with pytest.raises(Exception, match="the policy does not permit it"):
        replace(world.service(), policy=silent).release(ANNA, WISH)
    assert found == [("policy-does-not-permit",)]

"""Whatever was seen, whoever asks, whatever was done before: what the response never does."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.soc.action import ActionKind, NodeFacts, Past, Reason, Ruling, Surroundings
from ringfence.soc.alerts import plain
from ringfence.soc.playbook import shipped, wishes
from ringfence.soc.policy import Mode, OnAttempts, Policy, Silence, parse, to_document
from ringfence.soc.respond import decide
from ringfence.testing.clock import START
from ringfence.testing.soc import finding

ISOLATE, KEY, BLOCK, ALERT = ActionKind
NODES = st.sampled_from(["n-1", "n-2", "n-3"])
ADDRESSES = st.sampled_from(["203.0.113.7", "203.0.113.8", "198.51.100.1", "host.example", "", "::1"])
RULES = st.sampled_from([*shipped().entries, "a-rule-of-the-tenant"])
TIMES = st.integers(-7200, 0).map(lambda seconds: START + timedelta(seconds=seconds))

facts = st.builds(
    NodeFacts,
    node=NODES,
    name=st.sampled_from(["db", "web"]),
    training=st.booleans(),
    serves=st.booleans(),
    contained_since=st.none() | TIMES,
)
KEYS = st.sampled_from(["k-0123456789ab", "k-ba9876543210"])
policies = st.builds(
    Policy,
    mode=st.sampled_from(Mode),
    on_attempts=st.sampled_from(OnAttempts),
    isolations=st.integers(0, 4),
    share_percent=st.integers(0, 100),
    cooldown_seconds=st.integers(0, 3600),
    block_seconds=st.integers(60, 7200),
    blocks=st.integers(0, 4),
    alerts=st.integers(1, 4),
    never_isolate=st.lists(st.sampled_from(["db", "n-2"]), unique=True).map(sorted).map(tuple),
    never_block=st.sampled_from([(), ("198.51.100.0/24",)]),
    never_block_keys=st.sampled_from([(), ("k-ba9876543210",)]),
    key_blocks=st.integers(0, 4),
    rules_off=st.lists(RULES, max_size=2, unique=True).map(sorted).map(tuple),
    silences=st.sampled_from([(), (Silence("ssh-guessing", "", START + timedelta(days=1), "x"),)]),
)
pasts = st.lists(
    st.builds(
        Past,
        finding=st.sampled_from(["f", "g", "h"]),
        kind=st.sampled_from(ActionKind),
        target=NODES | ADDRESSES | KEYS,
        ruling=st.sampled_from(Ruling),
        at=TIMES,
        until=st.none() | TIMES.map(lambda at: at + timedelta(hours=2)),
        turn=st.integers(0, 3),
    ),
    max_size=12,
)
surroundings = st.builds(
    Surroundings,
    nodes=st.integers(1, 60),
    administrator=st.booleans(),
    protected=st.sampled_from([frozenset(), frozenset({"203.0.113.8"})]),
    authenticated=st.booleans(),
)


def act(response, kind):
    return None if response is None else response.act(kind)


SUCCEEDED = {"ssh-account-guessed", "ssh-guessing-then-success"}


@given(RULES, ADDRESSES, st.none() | facts, policies, pasts, surroundings, TIMES)
def test_what_is_never_done(rule, source, node, policy, past, around, last_seen):
    seen = finding(rule, source=source, id="f", last_seen=last_seen)
    response = decide(seen, wishes(seen, shipped(), policy, node), policy, past, node, around, at=START)
    done = [] if response is None else [one for one in response.acts if one.contains]
    isolated, blocked = (next((one for one in done if one.kind is kind), None) for kind in (ISOLATE, BLOCK))
    if done:
        assert around.authenticated
        assert policy.mode is Mode.ACT
        assert rule not in policy.rules_off
    if isolated is not None:
        assert node is not None
        assert isolated.target == node.node
        assert not {node.node, node.name} & set(policy.never_isolate)
        assert node.contained_since is None
        assert response.isolations < policy.cap(around.nodes)
        assert rule in SUCCEEDED or (node.training and policy.on_attempts is OnAttempts.ISOLATE)
    if blocked is not None:
        assert source[:1].isdigit()
        assert source not in around.protected
        assert not policy.spares(source)
        assert not around.administrator


@given(RULES, KEYS | NODES, ADDRESSES, st.none() | facts, policies, pasts, surroundings, TIMES)
def test_which_keys_are_never_blocked(rule, subject, source, node, policy, past, around, last_seen):
    seen = finding(rule, subject, source, id="f", last_seen=last_seen)
    response = decide(seen, wishes(seen, shipped(), policy, node), policy, past, node, around, at=START)
    blocked = act(response, KEY)
    if blocked is None or not blocked.contains:
        return
    assert rule in {"api-key-guessing-then-success", "injection-burst"}
    assert node is None
    assert act(response, ISOLATE) is None
    assert (blocked.target, subject[:2]) == (subject, "k-"), "who is blocked is whom the gateway named"
    assert subject not in policy.never_block_keys
    assert policy.mode is Mode.ACT
    assert around.authenticated
    assert rule not in policy.rules_off
    if rule == "api-key-guessing-then-success":
        assert source not in around.protected
        assert not policy.spares(source)


@given(RULES, ADDRESSES, facts, policies, surroundings)
def test_answering_twice_does_nothing_twice(rule, source, node, policy, around):
    seen = finding(rule, source=source, id="f")
    wished = wishes(seen, shipped(), policy, node)
    first = decide(seen, wished, policy, [], node, around, at=START)
    past = [
        Past("f", one.kind, one.target, one.ruling, START, START + timedelta(seconds=one.seconds), 0)
        for one in first.acts
    ]
    again = decide(seen, wished, policy, past, node, around, at=START + timedelta(seconds=1))
    assert again is None


@given(RULES, facts, policies, pasts, surroundings)
def test_a_dry_run_differs_from_the_act_in_nothing_but_the_doing(rule, node, policy, past, around):
    from dataclasses import replace

    seen = finding(rule, id="new")
    past = [one for one in past if one.ruling is not Ruling.WOULD]
    answers = [
        decide(seen, wishes(seen, shipped(), each, node), each, past, node, around, at=START)
        for each in (replace(policy, mode=mode) for mode in Mode)
    ]
    for acted, dry in zip(*(answer.acts for answer in answers), strict=True):
        assert not dry.contains
        assert acted == dry or (acted.contains and dry.ruling is Ruling.WOULD and dry.reason is Reason.DRY_RUN)


@given(policies)
def test_settings_are_read_as_they_are_printed(policy):
    assert parse(to_document(policy), at=START) == policy


@given(st.text())
def test_no_text_leaves_its_line(text):
    shown = plain(text)
    assert shown.isascii() or "…" in shown
    assert shown.replace("…", "").isprintable()
    assert len(shown) <= 245

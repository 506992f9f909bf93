import subprocess
import sys
from importlib import resources

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.action import ActionKind, Reason
from ringfence.soc.detection import shipped as detection
from ringfence.soc.playbook import parse, shipped, wishes
from ringfence.soc.policy import OnAttempts, Policy
from ringfence.soc.sources.gateway import RULES
from ringfence.testing.soc import finding, node

ISOLATE, KEY, BLOCK, ALERT = ActionKind


def kinds(rule, policy=None, on=None):
    return [wish.kind for wish in wishes(finding(rule), shipped(), policy or Policy(), on)]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("ssh-guessing", [BLOCK, ALERT]),
        ("ssh-user-enumeration", [BLOCK, ALERT]),
        ("ssh-unknown-user-guessing", [BLOCK, ALERT]),
        ("ssh-probing", [ALERT]),
        ("ssh-guessing-then-success", [ISOLATE, BLOCK, ALERT]),
        ("flow-denied-scan", [ALERT]),
        ("api-key-guessing", [ALERT]),
        ("api-key-guessing-then-success", [KEY, ALERT]),
        ("injection-burst", [KEY, ALERT]),
        ("source-silent", [ALERT]),
        ("a-rule-without-playbook", [ALERT]),
    ],
)
def test_the_default_playbook(rule, wanted):
    assert kinds(rule, on=node()) == wanted


def test_what_ships_fits_its_schema_and_is_read_without_it():
    """Every verb reads it, and to import `jsonschema` takes a second where certain other packages are installed."""
    file = resources.files("ringfence.soc").joinpath("data", "playbooks", "default.yaml")
    assert parse(file.read_bytes(), source="default.yaml") == shipped()
    script = "import sys; from ringfence.soc.playbook import shipped; shipped(); print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


def test_every_shipped_rule_that_makes_findings_has_an_entry():
    pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
    rules = detection.rules()
    assert rules.names() - rules.silent() <= set(shipped().entries)


def test_a_block_lasts_as_long_as_the_tenant_says():
    (block, _) = wishes(finding(), shipped(), Policy(block_seconds=120), None)
    assert block.seconds == 120


def test_on_attempts_isolates_training_nodes_and_no_others():
    wanted = Policy(on_attempts=OnAttempts.ISOLATE)
    assert kinds("ssh-guessing", wanted, node(training=True)) == [ISOLATE, BLOCK, ALERT]
    assert kinds("ssh-guessing", wanted, node(training=False)) == [BLOCK, ALERT]
    assert kinds("ssh-guessing", wanted, None) == [BLOCK, ALERT]
    assert kinds("ssh-guessing", Policy(), node(training=True)) == [BLOCK, ALERT]


def test_on_attempts_widens_only_what_strangers_can_cause():
    wanted = Policy(on_attempts=OnAttempts.ISOLATE)
    assert kinds("flow-denied-scan", wanted, node(training=True)) == [ALERT]
    (first, *_) = wishes(finding("ssh-guessing-then-success"), shipped(), wanted, node(training=True))
    assert first.reason is Reason.PLAYBOOK


@pytest.mark.parametrize(
    "text",
    [
        "playbooks: []",
        "playbooks: [{rule: ssh-guessing, actions: [shut-down, alert]}]",
        "playbooks: [{rule: ssh-guessing, actions: [block-source]}]",  # nobody would hear of it
        "playbooks: [{rule: a-rule, actions: [alert]}, {rule: a-rule, actions: [alert]}]",
        "playbooks: [{rule: '../x', actions: [alert]}]",
        "{{{",
        "playbooks: !!python/object:os.system x",
        "[" * 5000,
        "x" * 300_000,
    ],
)
def test_what_is_no_playbook_is_refused(text):
    with pytest.raises(MalformedInput):
        parse(text.encode(), source="x.yaml")


def test_what_an_address_did_is_told_from_what_a_key_did():
    held = {rule: wishes(finding(rule), shipped(), Policy(), None)[0].by_source for rule in shipped().entries}
    assert [rule for rule, by_source in held.items() if by_source] == ["api-key-guessing-then-success"]


def test_nothing_that_the_gateway_reports_isolates_a_node():
    wanted = Policy(on_attempts=OnAttempts.ISOLATE)
    assert not [rule for rule in RULES if ISOLATE in kinds(rule, wanted, node(training=True))]

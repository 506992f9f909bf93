"""Loading: names, order, refusals; and all of SigmaHQ, where it is."""

import gzip
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection import shipped
from ringfence.soc.detection.rule import Rule, RuleSet
from ringfence.soc.detection.sigma import load

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
BASE = "title: b\nname: b\nlogsource:\n  service: sshd\ndetection:\n  s:\n    f: 1\n  condition: s\n"
HEAD = "title: c\nname: c\ncorrelation:\n  type: {kind}\n  rules: [b]\n"
OVER = HEAD + "  group-by: [g]\n  timespan: 5m\n  condition:\n    {condition}\n"


def over(kind: str = "event_count", condition: str = "gte: 3") -> str:
    return f"{BASE}---\n{OVER.format(kind=kind, condition=condition)}"


def test_a_correlation() -> None:
    (found,) = load([over()]).correlations
    assert (found.rules, found.group_by, found.seconds, found.threshold) == (("b",), ("g",), 300, 3)
    assert load([over(condition="gt: 3")]).correlations[0].threshold == 4
    assert load([over("value_count", "gte: 3\n    field: u")]).correlations[0].field == "u"


def test_rules_come_before_what_refers_to_them() -> None:
    first = "title: d\nname: d\ncorrelation:\n  type: temporal\n  rules: [c, b]\n  timespan: 5m\n---\n"
    assert [each.about.name for each in load([first + over()]).correlations] == ["c", "d"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (over("value_sum", "gte: 3\n    field: u"), "value_sum"),
        (over("value_median", "gte: 3\n    field: u"), "value_median"),
        (over(condition="lt: 3"), "lt"),
        (over(condition="gte: 100000"), "at most"),
        (over().replace("  group-by", "  aliases:\n    x:\n      b: y\n  group-by"), "aliases"),
        (over().replace("rules: [b]", "rules: [nobody]"), "nobody"),
        (BASE + "---\n" + BASE, "two rules are called b"),
        (BASE.replace("condition: s", "condition: nothing"), "does not parse"),
        ("title: [", "does not parse"),
        ("just words", "does not parse"),
        ("- 1", "does not parse"),
    ],
)
def test_refusals_name_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(MalformedInput, match=named):
        load([text])


def test_correlations_in_a_circle_are_refused() -> None:
    one = "title: {0}\nname: {0}\ncorrelation:\n  type: temporal\n  rules: [{1}]\n  timespan: 5m\n---\n"
    with pytest.raises(MalformedInput, match="refers to itself"):
        load([one.format("one", "two") + one.format("two", "one")])


def sigmahq(*folders: str) -> tuple[list[RuleSet], list[str]]:
    """Load SigmaHQ's rules, each for itself; return what loaded and what was refused."""
    archive = Path(os.environ.get("RINGFENCE_DATA", ""), "sigma", "sigmahq-rules.tar.gz")
    if not os.environ.get("RINGFENCE_DATA") or not archive.exists():
        pytest.skip("RINGFENCE_DATA names no folder with sigma/sigmahq-rules.tar.gz")
    loaded, refused = [], []
    with tarfile.open(archive) as tar:
        for each in tar:
            parts = each.name.removeprefix("./").split("/")
            if each.name.endswith(".yml") and parts[0] == "rules" and parts[1] in folders:
                stream = tar.extractfile(each)
                assert stream is not None
                try:
                    loaded.append(load([stream.read().decode()]))
                except MalformedInput as error:
                    refused.append(str(error))
    return loaded, refused


def test_sigmahq_linux_network_web() -> None:
    loaded, refused = sigmahq("linux", "network", "web")
    assert (len(loaded), refused) == (308, [])


@pytest.mark.soak
def test_sigmahq_everything_and_its_regression_events() -> None:
    """Of 3,072 rules three are refused, by name; each of 85 fires on one of its own regression events."""
    folders = ("linux", "network", "web", "cloud", "application", "identity", "category", "windows")
    loaded, refused = sigmahq(*folders)
    assert (len(loaded), len(refused)) == (3069, 3)
    assert all("repeats a repetition" in each for each in refused)
    rules: dict[str, Rule] = {rule.identifier: rule for each in loaded for rule in each.rules}
    fired, missed = regression(rules)
    assert (len(fired), missed) == (85, set())


def regression(rules: dict[str, Rule]) -> tuple[set[str], set[str]]:
    """Return the rules that fire on an event of theirs, and those that fire on none."""
    path = Path(os.environ["RINGFENCE_DATA"], "logs", "sigma-regression", "events.jsonl.gz")
    fired: set[str] = set()
    missed: set[str] = set()
    for line in gzip.decompress(path.read_bytes()).splitlines():
        told = json.loads(line)
        for identifier in set(told["rule_ids"]) & set(rules):
            matched = rules[identifier].match(flat(told["event"]), json.dumps(told["event"]))
            (fired if matched else missed).add(identifier)
    return fired, missed - fired


def flat(event: dict[str, Any]) -> dict[str, object]:
    """Return a Windows event's fields as rules name them."""
    told = event.get("Event", event)
    system = told.get("System", {})
    provider = system.get("Provider", {}).get("#attributes", {}).get("Name")
    user = {name: value for each in (told.get("UserData") or {}).values() for name, value in each.items()}
    return {**system, **user, **(told.get("EventData") or {}), "Provider_Name": provider}


def test_the_shipped_rules_use_no_name_of_sigmahq() -> None:
    assert all(name.startswith(("ssh-", "flow-", "api-key-", "injection-")) for name in shipped.rules().names())

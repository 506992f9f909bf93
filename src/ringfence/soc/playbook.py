"""Playbooks: which actions a finding calls for. Data in, wishes out; nothing is done here.

What is wished for is not yet allowed: `respond` applies the caps, the lists and the dry run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.soc.action import ActionKind, NodeFacts, Reason, Wish
from ringfence.soc.model import Finding
from ringfence.soc.policy import OnAttempts, Policy

MAX_FILE = 2**18


@dataclass(frozen=True, slots=True)
class Entry:
    """What one rule's findings call for."""

    rule: str
    actions: tuple[ActionKind, ...]
    attempts: bool = False  # any stranger can cause such a finding from outside
    by_source: bool = False  # what an address did is held against a key


@dataclass(frozen=True, slots=True)
class Playbook:
    """Every entry by rule, and the digest of the file."""

    entries: Mapping[str, Entry]
    digest: Digest


def parse(data: bytes, *, source: str) -> Playbook:
    """Parse a file of playbooks; raise `MalformedInput` with the first place that is wrong."""
    import jsonschema

    document = _document(data, source)
    for wrong in jsonschema.Draft202012Validator(_schema()).iter_errors(document):
        raise MalformedInput(f"{wrong.json_path}: {wrong.message[:200]}", source=source)
    return _playbook(document, data, source)


def _document(data: bytes, source: str) -> Any:
    if len(data) > MAX_FILE:
        raise MalformedInput(f"a file of playbooks has at most {MAX_FILE} bytes", source=source)
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MalformedInput(f"not YAML: {str(error)[:200]}", source=source) from error


def _playbook(document: Any, data: bytes, source: str) -> Playbook:
    entries = [_entry(item) for item in document["playbooks"]]
    named = {entry.rule: entry for entry in entries}
    if len(named) != len(entries):
        raise MalformedInput("a rule has one playbook, and one stands twice", source=source)
    return Playbook(named, Digest.of(data))


def _entry(item: Mapping[str, object]) -> Entry:
    wanted = set(item["actions"]) if isinstance(item["actions"], list) else set()
    actions = tuple(kind for kind in ActionKind if kind.value in wanted)  # in the order of the enum: worst first
    return Entry(str(item["rule"]), actions, bool(item.get("attempts", False)), bool(item.get("by_source", False)))


def _schema() -> dict[str, object]:
    folder = resources.files("ringfence.soc").joinpath("data", "playbooks", "playbooks.schema.json")
    document: dict[str, object] = json.loads(folder.read_text(encoding="utf-8"))
    return document


@cache
def shipped() -> Playbook:
    """Return the playbooks that ship with Ringfence.

    The tests hold them against their schema, and not each process that starts: where `rfc3987-syntax` is installed, as
    beside Jupyter, importing `jsonschema` alone takes a second.
    """
    file = resources.files("ringfence.soc").joinpath("data", "playbooks", "default.yaml")
    data = file.read_bytes()
    return _playbook(_document(data, "default.yaml"), data, "default.yaml")


def wishes(finding: Finding, playbook: Playbook, policy: Policy, node: NodeFacts | None) -> tuple[Wish, ...]:
    """Return what a finding calls for; a rule that has no playbook calls for an alert."""
    entry = playbook.entries.get(finding.rule, Entry(finding.rule, (ActionKind.ALERT,)))
    widened = (
        entry.attempts
        and policy.on_attempts is OnAttempts.ISOLATE
        and node is not None
        and node.training
        and ActionKind.ISOLATE_NODE not in entry.actions
    )
    asked = [_wish(kind, policy, entry) for kind in entry.actions]
    if widened:
        asked.insert(0, Wish(ActionKind.ISOLATE_NODE, Reason.ON_ATTEMPTS))
    return tuple(asked)


def _wish(kind: ActionKind, policy: Policy, entry: Entry) -> Wish:
    seconds = policy.block_seconds if kind is ActionKind.BLOCK_SOURCE else 0
    return Wish(kind, Reason.PLAYBOOK, seconds, by_source=entry.by_source)

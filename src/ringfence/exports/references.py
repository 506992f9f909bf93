"""What the documents of an export define, and whether whatever refers to something leads there."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.exports.parts import NAMESPACE
from ringfence.exports.visiting import Node

_INSERTED = re.compile(r"\{\{\s*insert:\s*param,\s*([^}\s]+)\s*\}\}")
_OF_CATALOG = ("control", "obligation")  # properties of ours that name something in the catalogue
# What a reference has to lead to: the list in which the thing with this UUID stands.
_BY_UUID = {
    "observation-uuid": "observations",
    "finding-uuid": "findings",
    "component-uuid": "components",
    "party-uuid": "parties",
    "risk-uuid": "risks",
    "actor-uuid": "components",
}
_BY_ID = {
    "control-id": "controls",
    "with-ids": "controls",
    "target-id": "parts",
    "objective-id": "parts",
    "statement-id": "parts",
    "statement-ids": "parts",
    "param-id": "params",
}


@dataclass(slots=True)
class Index:
    """UUIDs and ids, how often each is defined, and in which list."""

    uuids: Counter[str] = field(default_factory=Counter)
    ids: Counter[str] = field(default_factory=Counter)
    by_uuid: dict[str, set[str]] = field(default_factory=dict)
    by_id: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Node]) -> "Index":
        """Return what these objects define."""
        index = cls()
        for node in found:
            index.enter(node)
        return index

    def enter(self, node: Node) -> None:
        """Take in what one object defines."""
        own, name = node.value.get("uuid"), node.value.get("id")
        if isinstance(own, str):
            self.uuids[own] += 1
            self.by_uuid.setdefault(node.stands_in, set()).add(own)
        if isinstance(name, str) and node.stands_in in ("controls", "groups", "parts", "params"):
            self.ids[name] += 1
            self.by_id.setdefault(node.stands_in, set()).add(name)

    def repeated(self) -> Iterator[str]:
        """Say what is defined more than once."""
        yield from (f"UUID {one} stands {times} times" for one, times in self.uuids.items() if times > 1)
        yield from (f"id {one[:60]!r} stands {times} times" for one, times in self.ids.items() if times > 1)

    def has(self, listed: str, name: object) -> bool:
        """Tell whether a control, a part or a parameter of this id is defined."""
        return isinstance(name, str) and name in self.by_id.get(listed, ())

    def holds(self, listed: str, own: object) -> bool:
        """Tell whether something with this UUID stands in such a list."""
        return isinstance(own, str) and own in self.by_uuid.get(listed, ())


def dangling(node: Node, index: Index) -> Iterator[str]:
    """Say which references of an object lead nowhere."""
    for key, value in node.value.items():
        if key in _BY_UUID and not index.holds(_BY_UUID[key], value):
            yield f"{key} {str(value)[:60]!r} leads to none of the {_BY_UUID[key]}"
        if key in _BY_ID:
            yield from _unknown(key, value if isinstance(value, list) else [value], index)
        if key == "prose":
            yield from _unknown("param-id", _INSERTED.findall(str(value)), index)
    if _names_control(node) and not index.has("controls", node.value.get("value")):
        yield f"{node.value['name']} {str(node.value.get('value'))[:60]!r} is not in the catalogue"


def dead_links(node: Node, files: Mapping[str, bytes], index: Index) -> Iterator[str]:
    """Say which links and imports of an object lead neither into the documents nor to a file beside them."""
    for key in ("href", "source"):
        target = node.value.get(key)
        if not isinstance(target, str):
            continue
        inside = target.startswith("#") and (index.holds("resources", target[1:]) or index.has("controls", target[1:]))
        if not inside and target not in files:
            yield f"{key} {target[:80]!r} leads nowhere in this export"


def _unknown(key: str, names: Collection[object], index: Index) -> Iterator[str]:
    listed = _BY_ID[key]
    yield from (f"{key} {str(one)[:60]!r} is none of the {listed}" for one in names if not index.has(listed, one))


def _names_control(node: Node) -> bool:
    ours = node.stands_in == "props" and node.value.get("ns") == NAMESPACE
    return ours and node.value.get("name") in _OF_CATALOG

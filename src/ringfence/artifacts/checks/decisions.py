"""What people decided about flagged items: a file that names items by salted digests, and holds none of their content.

An item that was *taken out* is in no file of the epoch any more; one that was *cleared* stays, for the screens that
the person looked at. Everything else that a screen flags is undecided.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.model import Row
from ringfence.artifacts.checks.screen import Kind
from ringfence.kernel import digest
from ringfence.kernel.commitment import SALT_SIZE
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, UsageError

FORMAT = "ringfence-screen-decisions/1"
TAKEN = "ringfence-screen-quarantine/1"
MAX_FILE = 64 * 2**20
MAX_TEXT = 1000  # characters of a name or a reason
_FIELDS = frozenset({"item", "screens", "file", "row", "decision", "person", "reason"})


class Choice(StrEnum):
    """What can be decided about an item."""

    OPEN = ""
    CLEARED = "cleared"
    TAKEN_OUT = "taken-out"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about an item, and for which screens."""

    item: Digest
    screens: frozenset[Kind]
    choice: Choice = Choice.OPEN
    person: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return how the files name it."""
        return {
            "item": str(self.item),
            "screens": sorted(self.screens),
            "decision": self.choice.value,
            "person": self.person,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided, by item; the salt is the file's own."""

    salt: bytes
    by_item: Mapping[Digest, Decision] = field(default_factory=dict)


def item_of(row: Row, roles: Roles, salt: bytes) -> Digest:
    """Return the salted digest of an item: of all its cells but those that only number it."""
    cells = [[name, value] for name, value in sorted(row.cells.items()) if name not in roles.identifiers]
    return Digest.of(salt + json.dumps(cells, ensure_ascii=True, separators=(",", ":")).encode())


def parse(data: bytes, source: str) -> Decisions:
    """Read a file of decisions; raise `MalformedInput` where anything in it is not understood."""
    match digest.loads(data, source=source, limit=MAX_FILE):
        case {"format": str() as form, "salt": str() as salt, "items": list() as items, **more} if (
            form == FORMAT and not more
        ):
            found: dict[Digest, Decision] = {}
            for number, one in enumerate(items, start=1):
                decision = _decision(one, f"{source}: item {number}")
                if decision.item in found:
                    raise MalformedInput(f"item {number} is decided about twice", source=source)
                found[decision.item] = decision
            return Decisions(_salt(salt, source), found)
        case _:
            raise MalformedInput(f"a file of decisions has format ({FORMAT}), salt and items", source=source)


def _salt(text: str, source: str) -> bytes:
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        salt = b""
    if len(salt) != SALT_SIZE:
        raise MalformedInput(f"salt is {2 * SALT_SIZE} hexadecimal digits; leave it as it was written", source=source)
    return salt


def _decision(one: Any, source: str) -> Decision:
    if not isinstance(one, dict) or not {"item", "screens", "decision"} <= one.keys() <= _FIELDS:
        raise MalformedInput(f"it has {', '.join(sorted(_FIELDS))}", source=source)
    screens, choice = one["screens"], one["decision"]
    if not isinstance(screens, list) or not screens or not set(map(str, screens)) <= set(Kind):
        raise MalformedInput(f"screens lists some of {', '.join(Kind)}", source=source)
    if not isinstance(choice, str) or choice not in set(Choice):
        raise MalformedInput("decision is cleared or taken-out, or empty while nobody decided", source=source)
    person, reason = (_text(one.get(name, ""), name, source) for name in ("person", "reason"))
    if choice and not (person and reason):
        raise MalformedInput("a decision has the person who made it, and a reason", source=source)
    return Decision(Digest.parse(one["item"]), frozenset(map(Kind, screens)), Choice(choice), person, reason)


def _text(value: Any, name: str, source: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise MalformedInput(f"{name} is a line of at most {MAX_TEXT} characters", source=source)
    return value.strip()


@dataclass(frozen=True, slots=True)
class Flag:
    """A flagged item: where it stands, and which screens flagged it."""

    item: Digest
    screens: frozenset[Kind]
    file: str
    row: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the flagged items of an epoch."""

    cleared: tuple[Flag, ...]
    undecided: tuple[Flag, ...]
    taken_out: tuple[Decision, ...]  # those that are in the epoch no more
    still_there: int  # items that somebody says were taken out, and that are in the epoch


def settle(flags: Sequence[Flag], decisions: Decisions, present: Iterable[Digest]) -> Settled:
    """Hold flagged items against decisions; `present` are those of the decided ones that are in the epoch."""
    there = set(present) | {flag.item for flag in flags}
    cleared = [flag for flag in flags if _is_cleared(flag, decisions.by_item.get(flag.item))]
    settled = {id(flag) for flag in cleared}
    out = [one for one in decisions.by_item.values() if one.choice is Choice.TAKEN_OUT]
    return Settled(
        tuple(cleared),
        tuple(flag for flag in flags if id(flag) not in settled),
        tuple(one for one in out if one.item not in there),
        sum(one.item in there for one in out),
    )


def _is_cleared(flag: Flag, decision: Decision | None) -> bool:
    """Tell whether somebody cleared an item for every screen that flags it now."""
    return decision is not None and decision.choice is Choice.CLEARED and flag.screens <= decision.screens


def printed(flags: Sequence[Flag], decisions: Decisions) -> bytes:
    """Print the file to decide in: what is flagged now, and what was decided before."""
    found: dict[Digest, dict[str, Any]] = {}
    for flag in flags:
        shown = _still_said(flag, decisions.by_item.get(flag.item))
        found.setdefault(flag.item, shown.to_json() | {"file": flag.file, "row": flag.row})
    for item, decision in decisions.by_item.items():
        if item not in found and decision.choice is not Choice.OPEN:
            found[item] = decision.to_json()
    return indented({"format": FORMAT, "salt": decisions.salt.hex(), "items": list(found.values())})


def _still_said(flag: Flag, known: Decision | None) -> Decision:
    """Return what was decided, where it still says something of the item; else that it is open."""
    if known is not None and (known.choice is Choice.TAKEN_OUT or _is_cleared(flag, known)):
        return known
    return Decision(flag.item, flag.screens)


def quarantine(settled: Settled, decisions: Decisions) -> bytes:
    """Print the list of what was taken out."""
    taken = [one.to_json() for one in settled.taken_out]
    return indented({"format": TAKEN, "salt": decisions.salt.hex(), "items": taken})


def indented(document: Mapping[str, Any]) -> bytes:
    """Print a document for people to read."""
    return json.dumps(document, indent=1, ensure_ascii=True).encode() + b"\n"


def check_share(flagged: int, items: int) -> None:
    """Raise `UsageError` where more was flagged, with what was taken out, than there is."""
    if flagged > items:
        raise UsageError(
            f"{flagged} items were flagged or taken out, and the epoch has {items}: the decisions are of other data"
        )

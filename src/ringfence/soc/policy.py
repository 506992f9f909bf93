"""A tenant's settings of the response: what may be done without asking, and to whom never. Pure.

The document is JSON (docs/how-to/respond-to-findings.md); fields that are left out keep their defaults.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import MalformedInput

MAX_LIST = 500
MAX_SILENCES = 100
LONGEST_SILENCE = timedelta(days=30)  # a silence that is forgotten must end by itself
WIDEST = {4: 8, 6: 16}  # bits: wider networks on the list would spare half the world
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RULE = re.compile(r"[a-z][a-z0-9-]{2,63}")
_KEY = re.compile(r"k-[0-9a-f]{12}")
_REASON = re.compile(r"[a-z][a-z0-9-]{0,63}")


class Mode(StrEnum):
    """Whether responses are carried out."""

    ACT = "act"
    DRY_RUN = "dry-run"


class OnAttempts(StrEnum):
    """What guessing alone leads to on a training node."""

    BLOCK = "block"
    ISOLATE = "isolate"


@dataclass(frozen=True, slots=True)
class Silence:
    """No alerts about a rule (and a node, where one is named) until a time; actions go on."""

    rule: str
    node: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one tenant; the defaults are the safe ones."""

    mode: Mode = Mode.ACT
    on_attempts: OnAttempts = OnAttempts.BLOCK
    isolations: int = 3  # without asking, per window; or the share, whichever is larger
    share_percent: int = 20
    window_seconds: int = 600
    cooldown_seconds: int = 60
    block_seconds: int = 3600
    blocks: int = 1000  # without asking, per window: the set in the kernel stays small
    key_blocks: int = 10  # without asking, per window: one bad rule must not shut every caller out
    alerts: int = 30  # single ones, per window; beyond, one about the storm
    never_isolate: tuple[str, ...] = ()
    never_block: tuple[str, ...] = ()
    never_block_keys: tuple[str, ...] = ()
    rules_off: tuple[str, ...] = ()  # their findings are recorded and alerted, and nothing is done
    silences: tuple[Silence, ...] = ()

    @property
    def window(self) -> timedelta:
        """Return the length of the window in which actions are counted."""
        return timedelta(seconds=self.window_seconds)

    def cap(self, nodes: int) -> int:
        """Return how many nodes may be isolated within a window without asking, of `nodes` in all."""
        return max(self.isolations, nodes * self.share_percent // 100)

    def spares(self, address: str) -> bool:
        """Return whether an address is on the list of those that are never blocked."""
        wanted = ipaddress.ip_address(address)
        return any(wanted in ipaddress.ip_network(entry) for entry in self.never_block)

    def is_silent(self, rule: str, nodes: tuple[str, ...], at: datetime) -> bool:
        """Return whether alerts about a rule and a node (by any of its names) are silenced at a time."""
        return any(s.rule == rule and at < s.until and (not s.node or s.node in nodes) for s in self.silences)


_NUMBERS = {  # least and most
    "isolations": (0, 1000),
    "share_percent": (0, 100),
    "window_seconds": (60, 86_400),
    "cooldown_seconds": (0, 3600),
    "block_seconds": (60, 7 * 86_400),
    "blocks": (0, 10_000),
    "key_blocks": (0, 1000),
    "alerts": (1, 1000),
}
FIELDS = ("mode", "on_attempts", *_NUMBERS, "never_isolate", "never_block", "never_block_keys", "rules_off", "silences")


def parse(document: object, *, at: datetime, source: str = "policy") -> Policy:
    """Parse the settings of a tenant; raise `MalformedInput` naming the field that is wrong."""
    if not isinstance(document, dict):
        raise MalformedInput("the settings of the response are a JSON object", source=source)
    unknown = sorted(set(document) - set(FIELDS))
    if unknown:
        raise MalformedInput(f"there is no setting {str(unknown[0])[:40]!r}; there are {', '.join(FIELDS)}")
    given = {name: _READERS[name](document[name], name) for name in document if name != "silences"}
    if "silences" in document:
        given["silences"] = _silences(document["silences"], at)
    return Policy(**given)


def _number(value: object, name: str) -> int:
    least, most = _NUMBERS[name]
    if type(value) is not int or not least <= value <= most:
        raise MalformedInput(f"an integer from {least} to {most} is wanted", source=name)
    return value


def _choice(value: object, kind: type[Mode] | type[OnAttempts], name: str) -> Mode | OnAttempts:
    for choice in kind:
        if choice.value == value:
            return choice
    raise MalformedInput(f"{' or '.join(choice.value for choice in kind)} is wanted", source=name)


def _names(pattern: re.Pattern[str]) -> Callable[[object, str], tuple[str, ...]]:
    return lambda value, name: tuple(sorted({_text(item, pattern, name) for item in _items(value, name)}))


def _items(value: object, name: str) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise MalformedInput(f"a list of at most {MAX_LIST} is wanted", source=name)
    return value


def _text(value: object, pattern: re.Pattern[str], name: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedInput(f"{str(value)[:40]!r} is not a name that can stand here", source=name)
    return value


def _networks(value: object, name: str) -> tuple[str, ...]:
    return tuple(sorted({_network(item) for item in _items(value, name)}))


def _network(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise MalformedInput(f"{text[:40]!r} is not an address or a network", source="never_block") from error
    if found.prefixlen < WIDEST[found.version]:
        raise MalformedInput(f"{text!r} would spare half the world; name smaller networks", source="never_block")
    return str(found)


def _silences(value: object, at: datetime) -> tuple[Silence, ...]:
    items = _items(value, "silences")
    if len(items) > MAX_SILENCES:
        raise MalformedInput(f"at most {MAX_SILENCES} silences are kept", source="silences")
    found = [_silence(item) for item in items]
    if any(silence.until - at > LONGEST_SILENCE for silence in found):
        raise MalformedInput(f"a silence lasts at most {LONGEST_SILENCE.days} days", source="silences")
    return tuple(sorted(found, key=lambda s: (s.rule, s.node, s.until)))


def _silence(value: object) -> Silence:
    match value:
        case {"rule": rule, "until": until, "reason": reason, **rest} if rest.keys() <= {"node"}:
            node = rest.get("node", "")
            return Silence(
                _text(rule, _RULE, "silences.rule"),
                _text(node, _NAME, "silences.node") if node else "",
                from_text(until),
                _text(reason, _REASON, "silences.reason"),
            )
        case _:
            raise MalformedInput("a silence has rule, until, reason and perhaps node", source="silences")


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "mode": lambda value, name: _choice(value, Mode, name),
    "on_attempts": lambda value, name: _choice(value, OnAttempts, name),
    **dict.fromkeys(_NUMBERS, _number),
    "never_isolate": _names(_NAME),
    "never_block": _networks,
    "never_block_keys": _names(_KEY),
    "rules_off": _names(_RULE),
}


def to_document(policy: Policy) -> dict[str, Any]:
    """Print the settings so that `parse` reads the same."""
    numbers = {name: getattr(policy, name) for name in _NUMBERS}
    return {
        "mode": policy.mode.value,
        "on_attempts": policy.on_attempts.value,
        **numbers,
        "never_isolate": list(policy.never_isolate),
        "never_block": list(policy.never_block),
        "never_block_keys": list(policy.never_block_keys),
        "rules_off": list(policy.rules_off),
        "silences": [
            {"rule": s.rule, "node": s.node, "until": to_text(s.until), "reason": s.reason} for s in policy.silences
        ],
    }


def changed_fields(before: Policy, after: Policy) -> tuple[str, ...]:
    """Return the names of the settings that differ, in the order of the document."""
    return tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))


def stored(document: Mapping[str, Any]) -> Policy:
    """Parse settings that were accepted before: how far their silences reach was judged then."""
    return parse(dict(document), at=datetime.max.replace(tzinfo=UTC))

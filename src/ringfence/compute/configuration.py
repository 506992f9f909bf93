"""How a node is set up, read inside it, against how it should be: facts, and which of them differ."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from ringfence.kernel.digest import Digest, dumps, loads
from ringfence.kernel.errors import MalformedInput

Facts = Mapping[str, str]
LONGEST = 4096  # characters of one fact
_FACT = re.compile(rf"[\x21-\x7e]{{1,{LONGEST}}}")


class Fact(StrEnum):
    """What is read of every node; one that cannot be read there is left out."""

    SSHD = "sshd"  # SHA-256 of what sshd is told
    ACCOUNTS = "accounts"  # SHA-256 of who has an account, and in which groups
    LISTENING = "listening"  # ports that somebody beyond the node can reach
    PRIVILEGES = "privileges"  # what its shell could gain: CapBnd, NoNewPrivs
    SYSTEM = "system"  # whether its own user can change programs and settings: fixed, writable
    PROGRAMS = "programs"  # SHA-256 of the list of programs that run as their owner
    REMOVABLE = "removable"  # whether a stick that is plugged in becomes a disk: blocked, open, unknown


BLOCKED = "blocked"
_SEVERAL = frozenset({Fact.LISTENING})  # a list, of which a node may show less
_SOCKETS = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_LOOPBACK = re.compile(r"[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F")


def parse(said: str, *, source: str) -> Facts:
    """Return the facts that a node's own program printed, a line each; sockets come one by one.

    Raises:
        MalformedInput: a line is no fact; what a node says is its own word, and bounded.
    """
    found: dict[str, str] = {}
    ports: set[str] = set()
    for line in said.splitlines():
        name, _, value = line.partition(" ")
        if name == "socket":
            ports |= _reachable(value, source)
        elif name not in set(Fact) or not _FACT.fullmatch(value) or name in found:
            raise MalformedInput(f"{line[:40]!r} is no fact about a node", source=source)
        else:
            found[name] = value
    if Fact.LISTENING in found:
        found[Fact.LISTENING] = ",".join(sorted(ports, key=int)) or "none"
    return found


def _reachable(address: str, source: str) -> set[str]:
    """Return the port of a listening socket as `/proc/net/tcp` shows it; none where only the node reaches it."""
    matched = _SOCKETS.fullmatch(address)
    if matched is None:
        raise MalformedInput(f"{address[:40]!r} is no socket", source=source)
    return set() if _LOOPBACK.fullmatch(matched[1]) else {str(int(matched[2], 16))}


def kept(data: bytes, *, source: str) -> Facts:
    """Return facts that were written down as JSON; raise `MalformedInput` where they are none."""
    match loads(data, source=source):
        case dict() as facts if all(
            n in set(Fact) and isinstance(v, str) and _FACT.fullmatch(v) for n, v in facts.items()
        ):
            return facts
        case _:
            raise MalformedInput("a baseline is facts about a node", source=source)


def drifted(baseline: Facts, found: Facts) -> list[str]:
    """Return the facts of a baseline that were read, and are different."""
    return sorted(name for name, wanted in baseline.items() if name in found and not _holds(name, wanted, found[name]))


def unread(baseline: Facts, found: Facts) -> list[str]:
    """Return the facts of a baseline that could not be read."""
    return sorted(baseline.keys() - found.keys())


def _holds(name: str, wanted: str, seen: str) -> bool:
    return _ports(seen) <= _ports(wanted) if name in _SEVERAL else wanted == seen


def _ports(listed: str) -> set[str]:
    return set(listed.split(",")) - {"none"}


def digest(baselines: Mapping[str, Facts]) -> Digest:
    """Return what names the baselines of all nodes together."""
    return Digest.of(dumps({node: dict(facts) for node, facts in baselines.items()}))


def listed(ports: Iterable[int]) -> str:
    """Write ports as a fact."""
    return ",".join(str(port) for port in sorted(set(ports))) or "none"

"""Packs: anyone's corpus of attacks as JSON Lines (docs/specs/redteam-pack.md)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.redteam.model import Attack, Carrier, Case, Condition, Pack, Success
from ringfence.redteam.transforms import chain_of, normal

MAX_PACK = 32 * 2**20
MAX_LINE = 64 * 2**10
MAX_LINES = 100_000
MAX_CASES = 200_000
MAX_FAMILIES = 64  # what a statement lists
ENCODINGS = ("base64", "hex", "reverse", "rot13")
SLOT = "{attack}"
CANARY = "{canary}"
ASK = "{ask}"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


@dataclass(slots=True)
class _Reading:
    """What the lines so far said."""

    name: str = ""
    licence: str = ""
    carriers: dict[str, Carrier] = field(default_factory=dict)
    attacks: dict[str, Attack] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # the line of each attack
    benign: int = 0


def parse(data: bytes, *, source: str = "pack") -> Pack:
    """Parse a pack; raise `MalformedInput` with the line of the first thing that is wrong."""
    if len(data) > MAX_PACK:
        raise MalformedInput(f"a pack has at most {MAX_PACK} bytes", source=source)
    lines = data.split(b"\n")
    if len(lines) > MAX_LINES:
        raise MalformedInput(f"a pack has at most {MAX_LINES} lines", source=source)
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        if line.strip():
            with _located(source, number):
                _read(reading, _object(line), number)
    if not reading.attacks:
        raise MalformedInput("the pack holds no attack", source=source)
    return Pack(
        name=reading.name or "unnamed",
        digest=Digest.of(data),
        licence=reading.licence or "not stated",
        cases=_expanded(reading, source),
        attacks=len(reading.attacks),
        benign=reading.benign,
    )


@contextmanager
def _located(source: str, line: int) -> Iterator[None]:
    """Add the place to what is wrong there."""
    try:
        yield
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source, line=line) from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = digest.loads(line, limit=MAX_LINE)
    except MalformedInput as error:
        raise MalformedInput(re.sub(r"^\d+:\d+: ", "", str(error))) from error
    if not isinstance(value, dict):
        raise MalformedInput("a line of a pack is a JSON object")
    return value


def _read(reading: _Reading, value: dict[str, Any], line: int) -> None:
    if "pack" in value:
        if line != 1:
            raise MalformedInput("the head of a pack is its first line")
        reading.name, reading.licence = _token(value, "pack"), _text(value, "licence", 200)
    elif "carrier" in value:
        carrier = _carrier(value)
        if carrier.id in reading.carriers:
            raise MalformedInput(f"the carrier {carrier.id} stands in this pack already")
        reading.carriers[carrier.id] = carrier
    elif value.get("expect") == "benign":
        reading.benign += 1
    else:
        attack = _attack(value)
        if attack.id in reading.attacks:
            raise MalformedInput(f"the id {attack.id} stands in line {reading.places[attack.id]} already")
        reading.attacks[attack.id] = attack
        reading.places[attack.id] = line


def _token(value: Mapping[str, Any], name: str, default: str | None = None) -> str:
    found = value.get(name, default)
    if not isinstance(found, str) or not _TOKEN.fullmatch(found):
        raise MalformedInput(f"{name} is 1 to 64 letters, digits, dots, hyphens, plus signs or underscores")
    return found


def _label(value: Mapping[str, Any], names: Sequence[str], default: str) -> str:
    """Return a free-standing word made fit for file names and tables: `Space Removal` becomes `space-removal`."""
    found = next((value[name] for name in names if name in value), default)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise MalformedInput(f"{names[0]} is a text of 1 to 64 printable characters")
    word = re.sub(r"[^a-z0-9._+-]+", "-", found.lower()).strip("-._+")
    if not word:
        raise MalformedInput(f"{names[0]} holds no letter from a to z and no digit")
    return word


def _text(value: Mapping[str, Any], name: str, limit: int, default: str | None = "") -> str:
    found = value.get(name, default)
    if found is None:
        raise MalformedInput(f"{name} is missing")
    if not isinstance(found, str) or len(found) > limit:
        raise MalformedInput(f"{name} is a text of at most {limit} characters")
    return found


def _carrier(value: Mapping[str, Any]) -> Carrier:
    carrier = Carrier(
        id=_token(value, "carrier"),
        group=_token(value, "group"),
        system=_text(value, "system", 16_384),
        user=_text(value, "user", 32_768, SLOT),
    )
    if carrier.user.count(SLOT) != 1 or SLOT in carrier.system:
        raise MalformedInput(f"the user text of a carrier holds {SLOT} exactly once")
    return carrier


def _attack(value: Mapping[str, Any]) -> Attack:
    text = _text(value, "prompt" if "prompt" in value and "text" not in value else "text", 32_768, None)
    if not text.strip():
        raise MalformedInput("the text of the attack is empty")
    system = _text(value, "system", 16_384)
    success = _success(value, text, system)
    if success.condition in {Condition.CANARY, Condition.URL} and ASK not in text and CANARY not in text:
        text = f"{text} {ASK}"
    return Attack(
        id=_label(value, ("id",), ""),
        family=_label(value, ("family", "category"), "unsorted"),
        language=_label(value, ("lang",), "en"),
        text=text,
        system=system,
        success=success,
        carriers=_token(value, "carriers") if "carriers" in value else "",
        chains=_chains(value.get("transforms", [[]])),
    )


def _success(value: Mapping[str, Any], text: str, system: str) -> Success:
    match value.get("success"):
        case None:
            planted = CANARY in system
            return _planted(Success(Condition.LEAK if planted else Condition.CANARY), text)
        case {"kind": "leaks_canary" | "contains_canary" | "url" as kind, **extra} if not extra:
            return _planted(Success(Condition(kind)), text)
        case {"kind": "decoded_equals", "encoding": str() as encoding, **extra} if not extra and encoding in ENCODINGS:
            return _planted(Success(Condition.DECODED, encoding), text)
        case {"kind": "contains", "value": str() as literal, **extra} if not extra and len(normal(literal)) >= 3:
            if normal(literal) in normal(text):
                raise MalformedInput(
                    "the text that counts stands in the attack, where an echo would count: leave it out"
                )
            return Success(Condition.LITERAL, literal[:1000])
        case _:
            known = ", ".join(condition.value for condition in Condition)
            raise MalformedInput(f"success has a kind of {known}, and its one argument (docs/specs/redteam-pack.md)")


def _planted(success: Success, text: str) -> Success:
    if CANARY in text and success.condition is not Condition.CANARY:
        raise MalformedInput(f"{CANARY} stands in the attack itself, where an echo would count; it belongs into system")
    return success


def _chains(value: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 32:
        raise MalformedInput("transforms is a list of 1 to 32 chains, each a list of names")
    return tuple(chain_of(names) for names in value)


def _expanded(reading: _Reading, source: str) -> dict[str, tuple[Case, ...]]:
    groups: dict[str, list[Carrier]] = {}
    for carrier in reading.carriers.values():
        groups.setdefault(carrier.group, []).append(carrier)
    found: dict[str, list[Case]] = {}
    total = 0
    for attack in reading.attacks.values():
        line = reading.places[attack.id]
        with _located(source, line):
            cases = _cases(attack, groups)
        total += len(cases)
        if total > MAX_CASES:
            raise MalformedInput(f"a pack makes at most {MAX_CASES} cases", source=source, line=line)
        found.setdefault(attack.family, []).extend(cases)
        if len(found) > MAX_FAMILIES:
            raise MalformedInput(f"a pack has at most {MAX_FAMILIES} families", source=source, line=line)
    return {family: tuple(found[family]) for family in sorted(found)}


def _cases(attack: Attack, groups: Mapping[str, Sequence[Carrier]]) -> list[Case]:
    carriers: Sequence[Carrier | None] = groups.get(attack.carriers, ()) if attack.carriers else (None,)
    if not carriers:
        raise MalformedInput(f"no carrier of the group {attack.carriers} stands in this pack")
    if attack.success.condition in {Condition.LEAK, Condition.DECODED}:
        for carrier in carriers:
            _check_planted(attack, carrier)
    return [
        Case("~".join(filter(None, (_at(attack, carrier), "+".join(chain)))), attack, carrier, chain)
        for carrier in carriers
        for chain in attack.chains
    ]


def _check_planted(attack: Attack, carrier: Carrier | None) -> None:
    system = attack.system or (carrier.system if carrier else "")
    if CANARY not in system:
        where = f" of the carrier {carrier.id}" if carrier and not attack.system else ""
        raise MalformedInput(f"the system text{where} plants no {CANARY} that could leak")


def _at(attack: Attack, carrier: Carrier | None) -> str:
    return f"{attack.id}@{carrier.id}" if carrier else attack.id

"""One question, one answer, each one JSON message; the verbs are a closed set with fixed fields. Pure."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ringfence.kernel.errors import InternalError, MalformedInput, RingfenceError, by_slug

LONGEST_QUESTION = 4096
LONGEST_ANSWER = 1 << 17
_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_YEAR = 366 * 86400

Value = str | int
Answer = Mapping[str, object]


def _name(value: object) -> Value:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise MalformedInput("a node is named by 1 to 40 of a-z, 0-9 and -")
    return value


def _whole(low: int, high: int) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise MalformedInput(f"expected a whole number from {low} to {high}")
        return value

    return check


def _address(value: object) -> Value:
    try:
        address = ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        raise MalformedInput("expected an IPv4 address; IPv6 does not pass the fabric at all") from None
    if address.is_multicast or address.is_unspecified or address.is_loopback or str(address) == "255.255.255.255":
        raise MalformedInput(f"{address} is not the address of one machine")
    return str(address)


def _digest(value: object) -> Value:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise MalformedInput("expected a SHA-256 in lower-case hex")
    return value


def _via(value: object) -> Value:
    if value not in ("control", "forensic"):  # a list cannot be looked up in a set
        raise MalformedInput("a connection goes via control or forensic")
    return str(value)


_PORT, _PID = _whole(1, 65535), _whole(2, 2**31 - 1)
_PATH = {"source": _name, "target": _name, "port": _PORT}
_SERVICE = {"node": _name, "port": _PORT}
_NODE = {"node": _name}
VERBS: Mapping[str, Mapping[str, Callable[[object], Value]]] = MappingProxyType(
    {
        "hello": {},
        "attach": {**_NODE, "pid": _PID},
        "attach-tap": _NODE,
        "attach-outside": {"node": _name, "pid": _PID, "address": _address},
        "detach": _NODE,
        "admit": _NODE,
        "permit": _PATH,
        "forbid": _PATH,
        "expose": _SERVICE,
        "hide": _SERVICE,
        "quarantine": _NODE,
        "release": {**_NODE, "before": _digest},
        "block": {"address": _address, "seconds": _whole(0, _YEAR)},
        "unblock": {"address": _address},
        "blocked": {},
        "connect": {**_SERVICE, "via": _via},
        "probe": _NODE,
        "nodes": {},
        "flows": {},
        "digest": {},
    }
)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise MalformedInput("a field stands twice")
    return dict(pairs)


def _read(message: bytes, most: int) -> dict[str, object]:
    if len(message) > most:
        raise MalformedInput(f"a message has {most} bytes at most")
    try:
        read = json.loads(message.decode("utf-8"), object_pairs_hook=_once)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise MalformedInput("a message is one JSON object") from None
    if not isinstance(read, dict):
        raise MalformedInput("a message is one JSON object")
    return read


def question(verb: str, fields: Mapping[str, Value]) -> bytes:
    """Write a question, as strictly as it will be read."""
    message = json.dumps({"verb": verb, **fields}).encode()
    parse_question(message)
    return message


def parse_question(message: bytes) -> tuple[str, dict[str, Value]]:
    """Read a question: a known verb with exactly its fields."""
    read = _read(message, LONGEST_QUESTION)
    verb = read.pop("verb", None)
    if not isinstance(verb, str) or verb not in VERBS:
        raise MalformedInput("no such verb")
    checks = VERBS[verb]
    if set(read) != set(checks):
        raise MalformedInput(f"{verb} takes exactly: {', '.join(checks) or 'nothing'}")
    return verb, {name: check(read[name]) for name, check in checks.items()}


def answer(content: Answer) -> bytes:
    """Write an answer."""
    message = json.dumps(content).encode()
    if len(message) > LONGEST_ANSWER:
        raise InternalError("the answer is too long")
    return message


def problem(error: RingfenceError) -> bytes:
    """Write an error."""
    return answer({"problem": error.slug, "detail": str(error)[:1000]})


def parse_answer(message: bytes) -> dict[str, object]:
    """Read an answer, or raise the error that it carries."""
    read = _read(message, LONGEST_ANSWER)
    if "problem" in read:
        raise by_slug(str(read["problem"]))(str(read.get("detail", "")))
    return read

"""The lines of a run's files: a hash chain of records without texts, and the texts under their salts.

Format: docs/specs/redteam-run.md.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.redteam.model import Outcome, Record

SALT = 32
MAX_LINE = 4 * 2**20  # an answer of 1 MiB, escaped
_TEXTS = ("id", "case", "family", "pack", "request", "response", "model", "finish", "at")
_COUNTS = ("repeat", "seed", "status", "latencyUs", "tries")
_TOKENS = ("promptTokens", "completionTokens")
_FIELDS = frozenset({*_TEXTS, *_COUNTS, *_TOKENS, "transforms", "outcome", "chain"})


@dataclass(frozen=True, slots=True)
class Text:
    """The answer of an attempt, kept apart from the journal."""

    id: str
    salt: bytes
    response: str

    @property
    def commitment(self) -> str:
        """Return what the journal holds of it."""
        return hashlib.sha256(self.salt + self.response.encode("utf-8", "surrogatepass")).hexdigest()


def start(plan: bytes, name: str) -> str:
    """Return the link before the first record: it binds the plan and the journal's name."""
    return hashlib.sha256(b"ringfence-redteam-journal/1\n" + name.encode() + b"\n" + plan).hexdigest()


def request_commitment(salt: bytes, body: bytes) -> str:
    """Return what the journal holds of a request: salted, since a pack may be somebody's secret."""
    return hashlib.sha256(salt + body).hexdigest()


def line(record: Record, before: str) -> tuple[bytes, str]:
    """Return a record's line, with its end, and its link: SHA-256 over the link before and the record."""
    value = _value(record)
    link = _link(before, value)
    return digest.dumps(value | {"chain": link}) + b"\n", link


def _link(before: str, value: Mapping[str, Any]) -> str:
    return hashlib.sha256(before.encode() + digest.dumps(value)).hexdigest()


def _value(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "case": record.case,
        "family": record.family,
        "transforms": list(record.transforms),
        "repeat": record.repeat,
        "seed": record.seed,
        "pack": record.pack,
        "request": record.request,
        "response": record.response,
        "model": record.model,
        "status": record.status,
        "finish": record.finish,
        "outcome": record.outcome.value,
        "promptTokens": record.prompt_tokens,
        "completionTokens": record.completion_tokens,
        "latencyUs": record.latency_us,
        "tries": record.tries,
        "at": record.at,
    }


def records(data: bytes, before: str, *, source: str) -> Iterator[tuple[Record, str]]:
    """Give each record of a journal with its link.

    Raises:
        VerificationFailed: a line is not what was written; it is named by its number.
    """
    for number, raw in _lines(data, source):
        value = _parsed(raw, source, number)
        link = value.pop("chain", None)
        try:
            record = _record(value)
        except MalformedInput as error:
            raise VerificationFailed(f"{source}:{number}: {error}") from error
        if link != _link(before, value):
            raise VerificationFailed(
                f"{source}:{number}: the record {record.id} does not fit the chain: it was changed"
            )
        yield record, link
        before = link


def _lines(data: bytes, source: str) -> Iterator[tuple[int, bytes]]:
    if data and not data.endswith(b"\n"):
        number = data.count(b"\n") + 1
        raise VerificationFailed(f"{source}:{number}: the last line has no end")
    yield from enumerate(data.split(b"\n")[:-1], 1)


def _parsed(raw: bytes, source: str, number: int) -> dict[str, Any]:
    """Parse a line that must be, byte for byte, what we print; that alone rules out doubled keys and odd numbers."""
    try:
        value = json.loads(raw) if len(raw) <= MAX_LINE else None
        if isinstance(value, dict) and digest.dumps(value) == raw:
            return value
    except (ValueError, RecursionError):
        pass
    raise VerificationFailed(f"{source}:{number}: this line is not as it was written")


def _record(value: Mapping[str, Any]) -> Record:
    if value.keys() | {"chain"} != _FIELDS:
        raise MalformedInput("a record has the fields of docs/specs/redteam-run.md")
    chain = value["transforms"]
    if (
        not all(type(value[name]) is str for name in _TEXTS)
        or not all(type(value[name]) is int for name in _COUNTS)
        or not all(value[name] is None or type(value[name]) is int for name in _TOKENS)
        or not (isinstance(chain, list) and all(type(name) is str for name in chain))
        or value["outcome"] not in _OUTCOMES
    ):
        raise MalformedInput("a field of the record is of another kind than docs/specs/redteam-run.md says")
    return Record(
        id=value["id"],
        case=value["case"],
        family=value["family"],
        transforms=tuple(chain),
        repeat=value["repeat"],
        seed=value["seed"],
        pack=value["pack"],
        request=value["request"],
        response=value["response"],
        model=value["model"],
        status=value["status"],
        finish=value["finish"],
        outcome=Outcome(value["outcome"]),
        prompt_tokens=value["promptTokens"],
        completion_tokens=value["completionTokens"],
        latency_us=value["latencyUs"],
        tries=value["tries"],
        at=value["at"],
    )


_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


def text_line(text: Text) -> bytes:
    """Return the line that keeps an answer."""
    return digest.dumps({"id": text.id, "response": text.response, "salt": text.salt.hex()}) + b"\n"


def texts(data: bytes, *, source: str) -> Iterator[Text]:
    """Give each answer that was kept; raise `VerificationFailed` for a line that is not what was written."""
    for number, raw in _lines(data, source):
        match _parsed(raw, source, number):
            case {"id": str() as name, "response": str() as response, "salt": str() as salt, **extra} if not extra:
                yield Text(name, _salt(salt, source, number), response)
            case _:
                raise VerificationFailed(f"{source}:{number}: a line of texts has id, response and salt")


def _salt(text: str, source: str, number: int) -> bytes:
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        salt = b""
    if len(salt) != SALT or salt.hex() != text:
        raise VerificationFailed(f"{source}:{number}: a salt has {2 * SALT} small hexadecimal digits")
    return salt

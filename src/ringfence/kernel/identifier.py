"""Typed identifiers and their text form."""

import re
from typing import NewType

from ringfence.kernel.errors import MalformedInput

Tenant = NewType("Tenant", str)
LogOrigin = NewType("LogOrigin", str)
KeyId = NewType("KeyId", str)  # lower-case hexadecimal SHA-256 of the raw public key
PersonId = NewType("PersonId", str)
PredicateName = NewType("PredicateName", str)  # dotted evidence type, for instance `dataset.sealed`

_TENANT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./-]{2,126}[a-z0-9]")
_PREDICATE = re.compile(r"(?=.{3,128}$)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_KEY = re.compile(r"[0-9a-f]{64}")
_URN = "urn:ringfence:"


def _matched(pattern: re.Pattern[str], text: object, what: str) -> str:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not {what}")
    return text


def handle(text: object, kind: str) -> str:
    """Parse an opaque id: what it is the id of, a hyphen, and twelve hexadecimal digits."""
    pattern = re.compile(rf"{kind}-[0-9a-f]{{12}}")
    return _matched(pattern, text, f"an id such as {kind}-0123456789ab")


def tenant(text: object) -> Tenant:
    """Parse a tenant: a letter, then letters, digits and hyphens, at most 32 in all."""
    return Tenant(_matched(_TENANT, text, "a tenant (lower-case letters, digits, hyphens, at most 32)"))


def log_origin(text: object) -> LogOrigin:
    """Parse a log origin: a schema-less URL as C2SP tlog-checkpoint recommends."""
    return LogOrigin(_matched(_ORIGIN, text, "a log origin such as example.eu/log"))


def key_id(text: object) -> KeyId:
    """Parse a key id."""
    return KeyId(_matched(_KEY, text, "a key id (64 hexadecimal digits)"))


def person_id(text: object) -> PersonId:
    """Parse a person's opaque id."""
    return PersonId(handle(text, "person"))


def predicate_name(text: object) -> PredicateName:
    """Parse a dotted evidence type."""
    return PredicateName(_matched(_PREDICATE, text, "an evidence type such as dataset.sealed"))


def predicate_type(name: PredicateName) -> str:
    """Return the in-toto predicate type of an evidence type; the only mapping between the two."""
    return f"{_URN}{name}:v1"


def from_predicate_type(text: object) -> PredicateName:
    """Return the evidence type of an in-toto predicate type of ours."""
    if isinstance(text, str) and text.startswith(_URN) and text.endswith(":v1"):
        return predicate_name(text[len(_URN) : -len(":v1")])
    raise MalformedInput(f"{str(text)[:80]!r} is not a predicate type of the form urn:ringfence:NAME:v1")

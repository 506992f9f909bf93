"""The fields of JSON documents, each of one form: nothing is converted, and nothing is taken that has no meaning."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from ringfence.kernel.errors import MalformedInput

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


class Fields:
    """An object of a document; `what` names it in messages."""

    def __init__(self, value: object, what: str, names: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
        if not isinstance(value, dict):
            raise MalformedInput(f"{what} is no JSON object")
        if missing := sorted(names - set(value)):
            raise MalformedInput(f"{what}: {', '.join(missing)} is missing")
        if unknown := sorted(set(value) - names - optional):
            raise MalformedInput(f"{what}: {unknown[0][:80]!r} means nothing here")
        self._value: Mapping[str, Any] = value
        self.what = what

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def raw(self, name: str) -> object:
        """Return a field as it stands there."""
        return self._value.get(name)

    def text(self, name: str, limit: int = 200) -> str:
        """Return a text of at most `limit` characters."""
        value = self._value.get(name)
        if not isinstance(value, str) or len(value) > limit:
            raise MalformedInput(f"{self.what}: {name} is no text of at most {limit} characters")
        return value

    def number(self, name: str, limit: int = 2**32) -> int:
        """Return a whole number from 0 to `limit`."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
            raise MalformedInput(f"{self.what}: {name} is no number from 0 to {limit}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise MalformedInput(f"{self.what}: {name} is neither true nor false")
        return value

    def items(self, name: str, limit: int) -> list[Any]:
        """Return a list of at most `limit` entries."""
        value = self._value.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise MalformedInput(f"{self.what}: {name} is no list of at most {limit} entries")
        return value

    def table(self, name: str, limit: int) -> Mapping[str, Any]:
        """Return an object of at most `limit` fields."""
        value = self._value.get(name)
        if not isinstance(value, dict) or len(value) > limit:
            raise MalformedInput(f"{self.what}: {name} is no object of at most {limit} fields")
        return value

    def octets(self, name: str) -> bytes:
        """Return bytes that stand there in base64."""
        return decoded(self._value.get(name), f"{self.what}: {name}")

    def octets_or_none(self, name: str) -> bytes | None:
        """Return bytes in base64; None where the field is missing or null."""
        return self.octets(name) if name in self else None

    def all_octets(self, name: str, limit: int) -> tuple[bytes, ...]:
        """Return a list of bytes in base64; empty where the field is missing or null."""
        if name not in self:
            return ()
        return tuple(decoded(item, f"{self.what}: {name}") for item in self.items(name, limit))


def decoded(value: object, what: str) -> bytes:
    """Return the bytes of a base64 text in its one form."""
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != value:
        raise MalformedInput(f"{what} is no base64 text")
    return data


def encoded(data: bytes) -> str:
    """Return the base64 text of bytes."""
    return base64.b64encode(data).decode()


def hexadecimal(value: object, size: int, what: str) -> bytes:
    """Return `size` bytes that stand there in lower-case hexadecimal digits."""
    if not isinstance(value, str) or len(value) != 2 * size or any(c not in "0123456789abcdef" for c in value):
        raise MalformedInput(f"{what} has not {size} bytes in lower-case hexadecimal digits")
    return bytes.fromhex(value)


def index(value: object, below: int, what: str) -> int:
    """Return a number below `below` that stands there as text, in its shortest form."""
    if not isinstance(value, str) or not _INDEX.fullmatch(value):
        raise MalformedInput(f"{what}: {str(value)[:40]!r} is no number")
    if int(value) >= below:
        raise MalformedInput(f"{what}: {value} is not below {below}")
    return int(value)

"""Digests as a type, hashing of bytes, and the one compact JSON form that we print.

SHA-256 is the only algorithm that is ever signed; there is no negotiation and hence no downgrade.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.errors import MalformedInput

SIZE = 32
_HEX = frozenset("0123456789abcdef")
MAX_DEPTH = 32  # deeper documents are refused before they can exhaust the stack


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != SIZE:
            raise MalformedInput(f"a SHA-256 digest has {SIZE} bytes, not {len(self.value)}")

    def __str__(self) -> str:
        return f"sha256:{self.value.hex()}"

    @property
    def hex(self) -> str:
        """Return the 64 lower-case hexadecimal digits."""
        return self.value.hex()

    @classmethod
    def of(cls, data: bytes) -> "Digest":
        """Hash `data`."""
        return cls(hashlib.sha256(data).digest())

    @classmethod
    def parse(cls, text: object) -> "Digest":
        """Parse `sha256:<64 lower-case hex digits>` or the bare digits."""
        digits = text.removeprefix("sha256:") if isinstance(text, str) else ""
        if len(digits) != 2 * SIZE or not _HEX.issuperset(digits):
            raise MalformedInput(f"{str(text)[:80]!r} is not a SHA-256 digest in lower-case hexadecimal")
        return cls(bytes.fromhex(digits))


def dumps(value: Any) -> bytes:
    """Print JSON in the one compact form: sorted keys, no blanks, ASCII, no floating-point numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def loads(data: bytes | str, *, source: str = "", limit: int = 16 * 2**20) -> Any:
    """Parse untrusted JSON strictly.

    Refuses duplicate keys, floating-point numbers and constants such as NaN, depth beyond `MAX_DEPTH`,
    lone surrogates, integers beyond 2**53 and documents longer than `limit` bytes.

    Raises:
        MalformedInput: with `source` and the position.
    """
    if len(data) > limit:
        raise MalformedInput(f"the document has {len(data)} bytes; the limit is {limit}", source=source)
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
        text.encode("utf-8")
    except json.JSONDecodeError as error:
        raise MalformedInput(f"not JSON: {error.msg}", source=source, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise MalformedInput("the document is nested too deeply", source=source) from error
    except UnicodeError as error:
        raise MalformedInput(f"not UTF-8 text: {error}", source=source) from error
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error
    _check(value, MAX_DEPTH, source)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()  # one pass: a document may hold a million keys
        for name, _ in pairs:
            if name in seen:
                raise MalformedInput(f"the key {name[:80]!r} stands twice in one object")
            seen.add(name)
    return result


def _refuse_number(text: str) -> Any:
    raise MalformedInput(f"the number {text[:40]} is not an integer; write ratios as text")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > 2**53:
        raise MalformedInput(f"the integer {text[:40]} is beyond 2**53")
    return int(text)


def _check(value: Any, depth: int, source: str) -> None:
    if depth == 0:
        raise MalformedInput(f"the document is nested deeper than {MAX_DEPTH} levels", source=source)
    match value:
        case dict():
            for name, item in value.items():
                _check(name, depth - 1, source)
                _check(item, depth - 1, source)
        case list():
            for item in value:
                _check(item, depth - 1, source)
        case str() if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise MalformedInput("the text holds a lone surrogate", source=source)
        case _:
            pass

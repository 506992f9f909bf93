"""Read what a request's JSON body asks for, strictly, and change the model's name in it and nothing else.

The body goes on to the engine byte for byte. Hence whoever parses it there must find what was found here: a key that
stands twice, or twice but for its case, is refused, since parsers differ in which one they take.
"""

import json
import math
import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from ringfence.gateway.hotpath.problem import Problem

_BLANKS = re.compile(r"[ \t\n\r]*").match
_OPEN = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*(\}?)").match
_NEXT = re.compile(r"[ \t\n\r]*(?:(,)[ \t\n\r]*|(?:\}))").match
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*").match
_PLAIN_KEY = re.compile(r'"([A-Za-z0-9_]{1,64})"[ \t\n\r]*:[ \t\n\r]*').match
_USUAL = frozenset(("model", "messages", "prompt", "input", "stream", "max_tokens", "temperature"))
_MOST = 2**31


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of a request that matter here.

    Attributes:
        place: where the value of `model` lies in the body, in bytes, with its quotes.
    """

    fields: dict[str, Any]
    place: tuple[int, int]

    @property
    def model(self) -> str:
        """Return the deployment's name."""
        model: str = self.fields["model"]
        return model

    @property
    def stream(self) -> bool:
        """Return whether events are asked for."""
        return self.fields.get("stream") is True


def read(body: bytes) -> Asked:
    """Read a request to an OpenAI route.

    Raises:
        Problem: the body is no JSON object, or not one with one `model`.
    """
    fields, places, text = _object(body)
    model = fields.get("model")
    if not isinstance(model, str):
        raise Problem(400, "invalid_model", "the body needs a `model`: the name of a deployment", param="model")
    if not isinstance(fields.get("stream"), bool | None):
        raise Problem(400, "invalid_stream", "`stream` is true or false", param="stream")
    start, end = places["model"]
    if not text.isascii():
        start, end = len(text[:start].encode()), len(text[:end].encode())
    return Asked(fields, (start, end))


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that names no model.

    Raises:
        Problem: it is no JSON object.
    """
    return _object(body)[0]


def renamed(body: bytes, place: tuple[int, int], name: bytes) -> bytes:
    """Return the body with another JSON string at the place of the model's name."""
    return b"%b%b%b" % (body[: place[0]], name, body[place[1] :])


def number(value: object, *, scale: int = 1) -> int | None:
    """Return a number for the access record, times `scale`; None for whatever is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST:
        return None
    return math.floor(value * scale + 0.5)


def _refuse(_constant: str) -> None:
    raise Problem(400, "invalid_json", "NaN and Infinity are not JSON")


_scan = json.JSONDecoder(parse_constant=_refuse).scan_once  # type: ignore[attr-defined]


def _object(body: bytes) -> tuple[dict[str, Any], dict[str, tuple[int, int]], str]:
    try:
        text = body.decode()
        fields, places = _members(text)
    except UnicodeDecodeError:
        raise Problem(400, "invalid_utf8", "the body is not UTF-8 text") from None
    except RecursionError:
        raise Problem(400, "invalid_json", "the body is nested too deeply") from None
    except (ValueError, StopIteration, IndexError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it breaks off or holds what JSON does not"
        raise Problem(400, "invalid_json", f"the body is not a JSON object: {why}") from None
    return fields, places, text


def _members(text: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """Walk over the members of the outermost object; values are parsed by the standard library's scanner."""
    fields: dict[str, Any] = {}
    places: dict[str, tuple[int, int]] = {}
    found = _OPEN(text)
    if found is None:
        raise json.JSONDecodeError("it does not begin with a brace", text, 0)
    at, more = found.end(), found[1] == ""
    while more:
        plain = _PLAIN_KEY(text, at)
        key, start = (plain[1], plain.end()) if plain else _other_key(text, at)
        fields[key], end = _scan(text, start)
        folded = key if key in _USUAL else key.casefold()
        if folded in places:
            raise Problem(400, "duplicate_key", f"the key {key[:64]!r} stands twice in the body", param=key[:64])
        places[folded] = (start, end)
        found = _NEXT(text, end)
        if found is None:
            raise json.JSONDecodeError("a comma or a brace is missing", text, end)
        at, more = found.end(), found[1] == ","
    if _BLANKS(text, at).end() != len(text):  # type: ignore[union-attr]  # it matches anywhere
        raise json.JSONDecodeError("something follows the object", text, at)
    return fields, places


def _other_key(text: str, at: int) -> tuple[str, int]:
    """Return a key with escapes or other letters, and where its value begins."""
    if text[at] != '"':
        raise json.JSONDecodeError("a key is missing", text, at)
    key, end = scanstring(text, at + 1, True)  # noqa: FBT003 -- strict; a function of C has no names
    colon = _COLON(text, end)
    if colon is None:
        raise json.JSONDecodeError("a colon is missing", text, end)
    return key, colon.end()

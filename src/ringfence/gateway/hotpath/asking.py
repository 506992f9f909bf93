"""Read what a request's JSON body asks for, strictly, and change the model's name in it and nothing else.

The body goes on to the engine byte for byte. Hence whoever parses it there must find what was found here: a key that
stands twice, or twice but for its case, is refused, since parsers differ in which one they take.
"""

import json
import math
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from ringfence.gateway.hotpath.problem import Problem

_BLANKS = re.compile(r"[ \t\n\r]*").match
_OPEN = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*(\}?)").match
_NEXT = re.compile(r"[ \t\n\r]*(?:(,)[ \t\n\r]*|(?:\}))").match
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*").match
_PLAIN_KEY = re.compile(r'"([A-Za-z0-9_]{1,64})"[ \t\n\r]*:[ \t\n\r]*').match
# All in lower case and without two that differ in nothing else: among these, none stands twice but for its case.
_USUAL = frozenset(
    (
        "encoding_format",
        "frequency_penalty",
        "input",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "presence_penalty",
        "prompt",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    )
)
_MODEL = '"model"'
_MOST = 2**31
_NUMBERS = (int, float)
_NOWHERE = (0, 0)


class Asked(NamedTuple):
    """The fields of a request that matter here.

    Attributes:
        fields: by name; an object within one may be a list of its pairs.
        place: where the value of `model` lies in the body, in bytes, with its quotes.
    """

    fields: dict[str, Any]
    place: tuple[int, int]


def read(body: bytes) -> Asked:
    """Read a request to an OpenAI route.

    Raises:
        Problem: the body is no JSON object, or not one with one `model`.
    """
    fields, place, text = _object(body, _one)
    if not isinstance(fields.get("model"), str):
        raise Problem(400, "invalid_model", "the body needs a `model`: the name of a deployment", param="model")
    stream = fields.get("stream")
    if not (stream is None or stream is True or stream is False):
        raise Problem(400, "invalid_stream", "`stream` is true or false", param="stream")
    start, end = place
    if not text.isascii():
        start, end = len(text[:start].encode()), len(text[:end].encode())
    return Asked(fields, (start, end))


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that names no model.

    Raises:
        Problem: it is no JSON object.
    """
    return _object(body, _members)[0]


def renamed(body: bytes, place: tuple[int, int], name: bytes) -> bytes:
    """Return the body with another JSON string at the place of the model's name."""
    return b"%b%b%b" % (body[: place[0]], name, body[place[1] :])


def number(value: object, *, scale: int = 1) -> int | None:
    """Return a number for the access record, times `scale`; None for whatever is not one."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS) or not abs(value) < _MOST:
        return None
    return math.floor(value * scale + 0.5)


def _refuse(_constant: str) -> None:
    raise Problem(400, "invalid_json", "NaN and Infinity are not JSON")


Place = tuple[int, int]

_scan = json.JSONDecoder(parse_constant=_refuse).scan_once  # type: ignore[attr-defined]
# Objects become lists of pairs: of two members with one name, a dictionary would show the last only.
_scan_pairs = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=list).scan_once  # type: ignore[attr-defined]


def _object(body: bytes, read: Callable[[str], tuple[dict[str, Any], Place]]) -> tuple[dict[str, Any], Place, str]:
    try:
        text = body.decode()
        fields, place = read(text)
    except UnicodeDecodeError:
        raise Problem(400, "invalid_utf8", "the body is not UTF-8 text") from None
    except RecursionError:
        raise Problem(400, "invalid_json", "the body is nested too deeply") from None
    except (ValueError, StopIteration, IndexError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it breaks off or holds what JSON does not"
        raise Problem(400, "invalid_json", f"the body is not a JSON object: {why}") from None
    return fields, place, text


def _one(text: str) -> tuple[dict[str, Any], Place]:
    return _at_once(text) or _members(text)


def _at_once(text: str) -> tuple[dict[str, Any], Place] | None:
    """Do what `_members` does, twice as fast; None for every body that is not a quite usual one.

    Where no letter is escaped, `"model"` stands once in the text, and the outermost object has that key, there it is.
    """
    at = text.find(_MODEL)
    if at < 1 or text.find(_MODEL, at + 7) >= 0 or text[0] != "{" or "\\u" in text:
        return None
    try:
        pairs, end = _scan_pairs(text, 0)
    except (ValueError, StopIteration):
        return None  # `_members` says what is wrong
    fields = dict(pairs)
    colon = _COLON(text, at + 7)
    if len(fields) != len(pairs) or end != len(text) or colon is None or not _USUAL.issuperset(fields):
        return None
    start = colon.end()
    if text[start] != '"' or "model" not in fields:
        return None
    return fields, (start, scanstring(text, start + 1)[1])


def _members(text: str) -> tuple[dict[str, Any], Place]:
    """Walk over the members of the outermost object; values are parsed by the standard library's scanner."""
    fields: dict[str, Any] = {}
    places: dict[str, Place] = {}
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
    return fields, places.get("model", _NOWHERE)


def _other_key(text: str, at: int) -> tuple[str, int]:
    """Return a key with escapes or other letters, and where its value begins."""
    if text[at] != '"':
        raise json.JSONDecodeError("a key is missing", text, at)
    key, end = scanstring(text, at + 1, True)  # noqa: FBT003 -- strict; a function of C has no names
    colon = _COLON(text, end)
    if colon is None:
        raise json.JSONDecodeError("a colon is missing", text, end)
    return key, colon.end()

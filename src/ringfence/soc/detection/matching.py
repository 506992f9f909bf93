"""Conditions as pySigma parses them, compiled into Python functions; what we cannot evaluate is refused by its name.

Strings compare without case, as Sigma says. Wildcards are matched fragment by fragment, so that time stays linear in
the text whatever the pattern.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.rule import Match

MAX_TEXT = 8192
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*(?:[^\\][*+]|\{\d+,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,\})")
Test = Callable[[object], bool]


class Unsupported(MalformedInput):
    """A rule asks for something that is not evaluated here; it is named."""


def compiled(condition: Any) -> Match:
    """Compile a parsed condition.

    Raises:
        Unsupported: a feature is used that is not evaluated here.
    """
    name = type(condition).__name__
    if name == "ConditionAND":
        return _all([compiled(each) for each in condition.args])
    if name == "ConditionOR":
        return any_of([*_sets(condition.args), *(compiled(each) for each in condition.args if not _plain(each))])
    if name == "ConditionNOT":
        inner = compiled(condition.args[0])
        return lambda fields, raw: not inner(fields, raw)
    if name == "ConditionFieldEqualsValueExpression":
        return _field(condition.field, condition.value)
    if name == "ConditionValueExpression":
        return _keyword(condition.value)
    raise Unsupported(f"the condition {name} is not evaluated here")


def _all(parts: Sequence[Match]) -> Match:
    if len(parts) == 1:
        return parts[0]

    def match(fields: Mapping[str, object], raw: str) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs more than the comparison
            if not part(fields, raw):
                return False
        return True

    return match


def any_of(parts: Sequence[Match]) -> Match:
    """Return a condition that holds where one of its parts does."""
    if len(parts) == 1:
        return parts[0]

    def match(fields: Mapping[str, object], raw: str) -> bool:
        for part in parts:  # noqa: SIM110
            if part(fields, raw):
                return True
        return False

    return match


def _plain(condition: Any) -> bool:
    """Say whether a condition is a field that equals a string, without wildcards."""
    if type(condition).__name__ != "ConditionFieldEqualsValueExpression":
        return False
    return type(condition.value).__name__ == "SigmaString" and literal(condition.value) is not None


def _sets(conditions: Sequence[Any]) -> list[Match]:
    """Return one membership test per field for all its plain values."""
    values: dict[str, set[str]] = {}
    for each in conditions:
        if _plain(each):
            values.setdefault(each.field, set()).add((literal(each.value) or "").lower())
    return [_member(field, frozenset(wanted)) for field, wanted in values.items()]


def _member(field: str, wanted: frozenset[str]) -> Match:
    return _of_field(field, lambda value: text_of(value).lower() in wanted)


def _field(field: str, value: Any) -> Match:
    name = type(value).__name__
    if name == "SigmaNull":
        return lambda fields, _raw: fields.get(field) is None
    if name == "SigmaExists":
        wanted = bool(value)
        return lambda fields, _raw: (field in fields) == wanted
    if name == "SigmaFieldReference":
        return _reference(field, value)
    if name == "SigmaExpansion":
        return any_of([_field(field, each) for each in value.values])
    return _of_field(field, test(value))


def _reference(field: str, value: Any) -> Match:
    if value.starts_with or value.ends_with:
        raise Unsupported("the modifier fieldref with startswith or endswith is not evaluated here")
    other = value.field
    return lambda fields, _raw: field in fields and fields.get(field) == fields.get(other)


def _of_field(field: str, holds: Test) -> Match:
    def match(fields: Mapping[str, object], _raw: str) -> bool:
        value = fields.get(field)
        if value is None:
            return False
        return any(holds(each) for each in value) if isinstance(value, (list, tuple)) else holds(value)

    return match


def _keyword(value: Any) -> Match:
    name = type(value).__name__
    if name == "SigmaExpansion":
        return any_of([_keyword(each) for each in value.values])
    if name in {"SigmaString", "SigmaCasedString"}:
        parts = [part for part in value.s if isinstance(part, str)]
        cased = name == "SigmaCasedString"
        inside = fragments(value.s if cased else _lowered(value.s), loose=True)
        if len(parts) == len(value.s) == 1 and not cased:
            wanted = parts[0].lower()
            return lambda _fields, raw: wanted in raw.lower()
        return lambda _fields, raw: inside(raw if cased else raw.lower())
    if name == "SigmaNumber":
        number = str(value.number)
        return lambda _fields, raw: number in raw
    holds = test(value)
    return lambda _fields, raw: holds(raw)


def test(value: Any) -> Test:
    """Return the test that one value stands for.

    Raises:
        Unsupported: this kind of value is not evaluated here.
    """
    name = type(value).__name__
    maker = _TESTS.get(name)
    if maker is None:
        raise Unsupported(f"the value {name.removeprefix('Sigma')} is not evaluated here")
    return maker(value)


def literal(value: Any) -> str | None:
    """Return the text of a string value without wildcards; None where it has any."""
    if not value.s:
        return ""
    return value.s[0] if len(value.s) == 1 and isinstance(value.s[0], str) else None


def text_of(value: object) -> str:
    """Return a field's value as text, bounded."""
    return value[:MAX_TEXT] if isinstance(value, str) else str(value)[:MAX_TEXT]


def _string(value: Any) -> Test:
    whole = literal(value)
    if whole is not None:
        wanted = whole.lower()
        return lambda found: text_of(found).lower() == wanted
    inside = fragments(_lowered(value.s), loose=False)
    return lambda found: inside(text_of(found).lower())


def _cased(value: Any) -> Test:
    inside = fragments(list(value.s), loose=False)
    return lambda found: inside(text_of(found))


def _lowered(parts: Sequence[Any]) -> list[Any]:
    return [part.lower() if isinstance(part, str) else part for part in parts]


def fragments(parts: Sequence[Any], *, loose: bool) -> Callable[[str], bool]:
    """Compile a string with wildcards.

    Args:
        parts: texts and pySigma's special characters.
        loose: whether it may stand anywhere.
    """
    pieces: list[str] = [""]
    for part in parts:
        if isinstance(part, str):
            pieces[-1] += re.escape(part)
        elif part.name == "WILDCARD_SINGLE":
            pieces[-1] += "."
        elif part.name == "WILDCARD_MULTI":
            pieces.append("")
        else:
            raise Unsupported("placeholders (the modifier expand) are not evaluated here")
    if loose:
        pieces = ["", *pieces, ""]
    plain = _plain_text(parts)
    if plain is not None and pieces[0] == "" and len(pieces) in {2, 3}:  # most patterns: ends with, or contains
        return (lambda text: text.endswith(plain)) if pieces[-1] else (lambda text: plain in text)
    compiled_pieces = [re.compile(piece, re.DOTALL) for piece in pieces]
    last = re.compile(f"(?:{pieces[-1]})\\Z", re.DOTALL)
    width = _width(pieces[-1])
    return lambda text: _through(compiled_pieces, last, width, text)


def _plain_text(parts: Sequence[Any]) -> str | None:
    """Return the text of a pattern that has one, beside wildcards for any number of characters."""
    texts = [part for part in parts if isinstance(part, str)]
    others = [part for part in parts if not isinstance(part, str)]
    single = len(texts) == 1 and all(part.name == "WILDCARD_MULTI" for part in others)
    return texts[0] if single else None


def _through(pieces: Sequence[re.Pattern[str]], last: re.Pattern[str], width: int, text: str) -> bool:
    """Match the first piece at the start, the last at the end, the others in order between: leftmost is enough."""
    if len(pieces) == 1:
        return pieces[0].fullmatch(text) is not None
    found = pieces[0].match(text)
    for piece in pieces[1:-1]:
        if found is None:
            return False
        found = piece.search(text, found.end())
    if found is None:
        return False
    return last.match(text, max(found.end(), len(text) - width)) is not None if width <= len(text) else False


def _width(piece: str) -> int:
    """Return how many characters a piece matches: it has no quantifiers."""
    return len(re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL))


def _regular(value: Any) -> Test:
    source = str(value.regexp)
    if _NESTED.search(source):
        raise Unsupported("a regular expression repeats a repetition, which takes endless time on hostile text")
    flags = 0
    for flag in value.flags:
        flags |= {"IGNORECASE": re.IGNORECASE, "MULTILINE": re.MULTILINE, "DOTALL": re.DOTALL}[flag.name]
    try:
        pattern = re.compile(source, flags)
    except re.error as error:
        raise Unsupported(f"a regular expression does not compile: {error}") from None
    return lambda found: pattern.search(text_of(found)) is not None


def _network(value: Any) -> Test:
    network: IPv4Network | IPv6Network = value.network

    def holds(found: object) -> bool:
        try:
            return ip_address(text_of(found)) in network
        except ValueError:
            return False

    return holds


def _number(value: Any) -> Test:
    wanted = value.number
    text = str(wanted)
    return lambda found: found == wanted if isinstance(found, (int, float)) else text_of(found) == text


def _compare(value: Any) -> Test:
    wanted = value.number.number
    compare = _COMPARISONS[value.op.name]

    def holds(found: object) -> bool:
        try:
            return compare(float(text_of(found)), wanted)
        except ValueError:
            return False

    return holds


def _boolean(value: Any) -> Test:
    wanted = bool(value)
    return lambda found: found is wanted or text_of(found).lower() == str(wanted).lower()


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "LT": lambda left, right: left < right,
    "LTE": lambda left, right: left <= right,
    "GT": lambda left, right: left > right,
    "GTE": lambda left, right: left >= right,
    "NEQ": lambda left, right: left != right,
}
_TESTS: Mapping[str, Callable[[Any], Test]] = {
    "SigmaString": _string,
    "SigmaCasedString": _cased,
    "SigmaRegularExpression": _regular,
    "SigmaCIDRExpression": _network,
    "SigmaNumber": _number,
    "SigmaCompareExpression": _compare,
    "SigmaBool": _boolean,
}

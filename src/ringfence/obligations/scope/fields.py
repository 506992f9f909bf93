"""Read typed fields out of composed nodes; every refusal points to file, line and column.

`None` stands for *unknown*: the key is absent, empty, or says `unknown`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope import hints, rules
from ringfence.obligations.scope.document import at

T = TypeVar("T")

UNKNOWN = "unknown"
MAX_ITEMS = 500
MAX_NAME = 200
_INTEGER = re.compile(r"[0-9]{1,15}(\.0{1,4})?|[0-9]{1,3}(_[0-9]{3}){1,4}")  # 5.0 is an integer to JSON Schema
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?|[0-9]{1,3}(_[0-9]{3}){1,2}")
_COMPUTE = re.compile(r"[0-9]{1,30}|[0-9](\.[0-9]{1,6})?[eE]\+?[0-9]{1,2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NONE = frozenset({"none", "no", "false", "yes", "true"})
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(slots=True)
class Fields:
    """The keys of one mapping; whatever is not asked for by the end is refused by `finish`."""

    node: MappingNode
    source: str
    path: str
    values: dict[str, Node]
    keys: dict[str, Node]
    asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, node: Node, source: str, path: str = "") -> "Fields":
        """Open a mapping; refuse other kinds of node and keys that stand twice."""
        if not isinstance(node, MappingNode):
            raise at(node, f"{path or 'the file'} must be keys with values", source)
        values: dict[str, Node] = {}
        keys: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise at(key, "a key must be a word", source)
            if key.value in values:
                raise at(key, f"the key {key.value[:60]!r} stands twice", source)
            values[key.value], keys[key.value] = value, key
        return cls(node, source, path, values, keys)

    def error(self, key: str, message: str) -> MalformedInput:
        """Return the error that points to the value of `key`, or to the mapping where the key is absent."""
        return at(self.values.get(key, self.node), f"{self.where(key)}: {message}", self.source)

    def where(self, key: str) -> str:
        """Return the path of `key` as it is named in answers."""
        return f"{self.path}.{key}" if self.path else key

    def get(self, key: str) -> Node | None:
        """Return the node of `key`, or None where it is absent, empty or says `unknown`."""
        self.asked.add(key)
        node = self.values.get(key)
        if node is None or (isinstance(node, ScalarNode) and (node.value == UNKNOWN or _is_null(node))):
            return None
        return node

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key, node in self.keys.items():
            if key not in self.asked:
                known = f"known are: {', '.join(sorted(self.asked))}"
                hint = hints.question(key, self.asked)
                raise at(node, f"the key {key[:60]!r} is not known here{hint or '; ' + known}", self.source)

    def scalar(self, key: str, *, plain: bool = False) -> str | None:
        """Return the text of a value; `plain` refuses quotes, which make a number or a truth a text."""
        node = self.get(key)
        if node is None:
            return None
        if not isinstance(node, ScalarNode) or (plain and node.style):
            unquoted = f"{str(node.value)[:40]} without quotes is expected" if isinstance(node, ScalarNode) else ""
            raise self.error(key, unquoted or "one value is expected")
        return _whole(node, self)

    def text(self, key: str) -> str | None:
        """Return free text of at most `MAX_NAME` printable characters."""
        value = self.scalar(key)
        if value is not None and not (0 < len(value.strip()) <= MAX_NAME and value.isprintable()):
            raise self.error(key, f"a text of 1 to {MAX_NAME} printable characters is expected")
        return value

    def name(self, key: str = "name") -> str:
        """Return a text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.error(key, "a name is needed")
        return value

    def truth(self, key: str) -> bool | None:
        """Return yes or no."""
        value = self.scalar(key, plain=True)
        if value is None:
            return None
        if value.lower() not in _TRUTH:
            raise self.error(key, f"yes, no or unknown is expected, not {value[:40]!r}")
        return _TRUTH[value.lower()]

    def money(self, key: str) -> int | None:
        """Return whole euros."""
        value = self._matching(key, _INTEGER, "whole euros are expected, for instance 9_000_000")
        return None if value is None else int(value.partition(".")[0].replace("_", ""))

    def number(self, key: str) -> Fraction | None:
        """Return a number that is not negative, with at most four decimals."""
        value = self._matching(key, _DECIMAL, "a number that is not negative is expected, for instance 60 or 49.5")
        return None if value is None else Fraction(value.replace("_", ""))

    def percent(self, key: str) -> Fraction | None:
        """Return a percentage from 0 to 100."""
        value = self.number(key)
        if value is not None and value > 100:
            raise self.error(key, "a percentage lies between 0 and 100")
        return value

    def compute(self, key: str) -> Fraction | None:
        """Return floating-point operations, written as an integer or like 3.5e24."""
        expected = "operations are expected, for instance 3.5e24"
        value = self._matching(key, _COMPUTE, expected, plain=False)  # not every writer of JSON keeps 1e24 a number
        return None if value is None else Fraction(value.replace("+", ""))

    def day(self, key: str) -> date | None:
        """Return a calendar day."""
        value = self._matching(key, _DATE, "a day such as 2026-11-22 is expected", plain=False)  # JSON has no days
        try:
            return None if value is None else date.fromisoformat(value)
        except ValueError as error:
            raise self.error(key, f"{value} is not a day of the calendar") from error

    def choice(self, key: str, choices: Iterable[str]) -> str | None:
        """Return one of `choices`."""
        value = self.scalar(key)
        allowed = sorted(choices)
        if value is not None and value not in allowed:
            raise self.error(key, hints.refusal(value, [*allowed, UNKNOWN]))
        return value

    def country(self, key: str, codes: frozenset[str]) -> str | None:
        """Return an ISO 3166 code out of `codes`."""
        value = self.scalar(key)
        return None if value is None else checked_country(value, codes, lambda text: self.error(key, text))

    def items(self, key: str) -> list[Node] | None:
        """Return the entries of a list, or None where the list itself is unknown."""
        node = self.get(key)
        if node is None:
            return None
        if not isinstance(node, SequenceNode):
            word = node.value if isinstance(node, ScalarNode) and node.value not in _NONE else ""
            raise self.error(key, f"a list is expected, for instance [{str(word)[:60]}]{'' if word else ' for none'}")
        if len(node.value) > MAX_ITEMS:
            raise self.error(key, f"{len(node.value)} entries; the limit is {MAX_ITEMS}")
        return list(node.value)

    def each(self, key: str, read: Callable[["Fields"], T]) -> tuple[T, ...] | None:
        """Read a list of mappings and refuse unknown keys in each."""
        nodes = self.items(key)
        if nodes is None:
            return None
        return tuple(
            read_whole(Fields.of(n, self.source, f"{self.where(key)}[{i}]"), read) for i, n in enumerate(nodes)
        )

    def words(self, key: str, choices: Iterable[str]) -> tuple[str, ...] | None:
        """Read a list of words out of `choices`, without repetition."""
        nodes = self.items(key)
        if nodes is None:
            return None
        allowed = set(choices)
        words = tuple(self._word(node, allowed) for node in nodes)
        if len(set(words)) != len(words):
            raise self.error(key, "an entry stands twice")
        return words

    def countries(self, key: str, codes: frozenset[str]) -> tuple[str, ...] | None:
        """Read a list of country codes, without repetition."""
        nodes = self.items(key)
        if nodes is None:
            return None
        found = tuple(self._code(node, codes) for node in nodes)
        if len(set(found)) != len(found):
            raise self.error(key, "a country stands twice")
        return found

    def inner(self, key: str, read: Callable[["Fields"], T]) -> T | None:
        """Read a mapping below `key`, or None where it is unknown."""
        node = self.get(key)
        return None if node is None else read_whole(Fields.of(node, self.source, self.where(key)), read)

    def _matching(self, key: str, pattern: re.Pattern[str], expected: str, *, plain: bool = True) -> str | None:
        value = self.scalar(key, plain=plain)
        if value is not None and not pattern.fullmatch(value):
            raise self.error(key, f"{expected}, not {value[:40]!r}")
        return value

    def _code(self, node: Node, codes: frozenset[str]) -> str:
        return checked_country(self._raw(node), codes, lambda text: at(node, text, self.source))

    def _raw(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise at(node, "a word is expected here", self.source)
        return str(node.value)

    def _word(self, node: Node, allowed: set[str]) -> str:
        word = self._raw(node)
        if word not in allowed:
            raise at(node, hints.refusal(word, sorted(allowed)), self.source)
        return word


def read_whole(fields: Fields, read: Callable[[Fields], T]) -> T:
    """Read a mapping and refuse the keys that `read` did not ask for."""
    value = read(fields)
    fields.finish()
    return value


def day_or(fields: Fields, key: str, word: str) -> date | str | None:
    """Return a calendar day, or `word` where that stands instead."""
    return word if fields.scalar(key) == word else fields.day(key)


_OTHER_CODES: Mapping[str, str] = {"EL": "GR", "UK": "GB"}
_UNIONS = frozenset({"EU", "EEA", "EUROPE"})


def checked_country(text: str, codes: frozenset[str], error: Callable[[str], MalformedInput]) -> str:
    """Return `text` where it is one of `codes`; else name the code that is plainly meant."""
    if text in codes:
        return text
    plain = text.strip().upper()
    code = _OTHER_CODES.get(plain) or (plain if plain in codes else _by_name().get(plain))
    if code:
        raise error(f"{text[:40]!r} is not a country code; write {code}")
    hint = "name its Member States" if plain in _UNIONS else "two capital letters of ISO 3166 are expected, such as DE"
    raise error(f"{text[:40]!r} is not a country code; {hint}")


def _by_name() -> Mapping[str, str]:
    return {state.name.upper(): code for code, state in rules.load().member_states.items()}


def _is_null(node: ScalarNode) -> bool:
    return not node.style and node.value in ("", "~", "null")


def _whole(node: ScalarNode, fields: Fields) -> str:
    value = str(node.value)
    try:  # JSON writes characters beyond the first plane as two escapes
        return value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError as error:
        raise at(node, "the text holds half a character", fields.source) from error

"""Which rules can match an event at all: their necessary literals, looked up before any condition is evaluated."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.soc.detection.matching import MAX_TEXT, literal, text_of
from ringfence.soc.detection.rule import Anchor, Comparison, Rule

SHORTEST = 3  # shorter literals are in every text
MAX_KNOWN, MAX_KNOWN_TEXT = 4096, 256  # values of a field that are remembered, and how long they may be


def anchors(condition: Any) -> frozenset[Anchor] | None:
    """Return literals of which one is in every event that matches; None where there are no such."""
    name = type(condition).__name__
    if name == "ConditionAND":
        found = [each for each in map(anchors, condition.args) if each is not None]
        return min(found, key=_cost) if found else None
    if name == "ConditionOR":
        parts = [anchors(each) for each in condition.args]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    if name == "ConditionFieldEqualsValueExpression":
        return _of_value(condition.field, condition.value)
    return _of_value(None, condition.value) if name == "ConditionValueExpression" else None


def _cost(found: frozenset[Anchor]) -> tuple[int, int]:
    """Prefer few literals, and long ones."""
    return sum(1 if each.comparison is Comparison.IS else 4 for each in found), -min(
        len(each.literal) for each in found
    )


def _of_value(field: str | None, value: Any) -> frozenset[Anchor] | None:
    if type(value).__name__ == "SigmaExpansion":
        parts = [_of_value(field, each) for each in value.values]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    if type(value).__name__ not in {"SigmaString", "SigmaCasedString"}:
        return None
    whole = literal(value)
    if whole is not None and field is not None:
        return frozenset({Anchor(field, Comparison.IS, whole.lower())})
    longest = max((part for part in value.s if isinstance(part, str)), key=len, default="")
    return frozenset({Anchor(field, Comparison.IN, longest.lower())}) if len(longest) >= SHORTEST else None


def only_field(conditions: Sequence[Any]) -> str | None:
    """Return the field that conditions read, if it is one and they read nothing else."""
    found = frozenset().union(*map(_read, conditions))
    return next(iter(found)) if len(found) == 1 else None


def _read(condition: Any) -> frozenset[str | None]:
    if hasattr(condition, "args"):
        return frozenset().union(*map(_read, condition.args))
    values = getattr(condition.value, "values", [condition.value])
    if any(type(each).__name__ == "SigmaFieldReference" for each in values):
        return frozenset({None})
    return frozenset({getattr(condition, "field", None)})


Looked = tuple[tuple[Rule, ...], tuple[Rule, ...]]  # rules that match for certain, rules that may match
NOWHERE: Looked = ((), ())


class _Column:
    """The literals of one field, or of the raw text; what a value leads to is remembered, since values come again."""

    def __init__(self, place: str | None) -> None:
        self.place = place
        self._exact: dict[str, list[Rule]] = {}
        self._inside: dict[str, list[Rule]] = {}
        self._any: re.Pattern[str] | None = None
        self._each: dict[Rule, None] = {}  # without a literal, and of this field alone: once per value is enough
        self.known: dict[str, Looked] = {}

    def put(self, anchor: Anchor, rule: Rule) -> None:
        place = self._exact if anchor.comparison is Comparison.IS else self._inside
        place.setdefault(anchor.literal, []).append(rule)
        self._any = re.compile("|".join(map(re.escape, sorted(self._inside)))) if self._inside else None

    def put_without(self, rule: Rule) -> None:
        self._each[rule] = None

    def look(self, value: object) -> Looked:
        if type(value) is not str or self.place is None or len(value) > MAX_KNOWN_TEXT:
            return self._look(value)
        found = self.known.get(value)
        if found is None:
            if len(self.known) >= MAX_KNOWN:
                self.known.clear()
            found = self.known[value] = self._look(value)
        return found

    def _look(self, value: object) -> Looked:
        found = dict(self._each)
        for text in _texts(value):
            found |= dict.fromkeys(self._exact.get(text, ()))
            if self._any is not None and self._any.search(text):
                found |= {rule: None for word, rules in self._inside.items() if word in text for rule in rules}
        alone = [rule for rule in found if rule.reads is not None]  # then it reads this one
        sure = tuple(rule for rule in alone if rule.match({rule.reads or "": value}, ""))
        possible = tuple(rule for rule in found if rule not in alone)
        return (sure, possible) if sure or possible else NOWHERE


class Prefilter:
    """The rules of one source, by their literals."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        columns: dict[str | None, _Column] = {}
        self._always: list[Rule] = []
        for rule in rules:
            if rule.anchors is None and _needs_its_field(rule):
                columns.setdefault(rule.reads, _Column(rule.reads)).put_without(rule)
            elif rule.anchors is None:
                self._always.append(rule)
            for anchor in rule.anchors or ():
                columns.setdefault(anchor.field, _Column(anchor.field)).put(anchor, rule)
        self._columns = list(columns.values())
        self._places = [(each.place, each.known, each) for each in self._columns if each.place is not None]
        self._raw = next((each for each in self._columns if each.place is None), None)
        self._single = self._columns[0] if len(self._columns) == 1 and not self._always else None  # our own lanes

    def matching(self, fields: Mapping[str, object], raw: str) -> Sequence[Rule]:
        """Return the rules that match, each once."""
        if self._single is not None:
            value = raw if self._single.place is None else fields.get(self._single.place)
            certain, possible = self._single.look(value) if value is not None else ((), ())
            return certain + tuple(rule for rule in possible if rule.match(fields, raw)) if possible else certain
        sure: list[Rule] = []
        maybe = self._always
        for place, known, column in self._places:
            value = fields.get(place)
            if value is None:
                continue
            looked = known.get(value) if type(value) is str else None  # most values come again, and lead nowhere
            if looked is None:
                looked = column.look(value)
            if looked is not NOWHERE:
                sure += looked[0]
                maybe = [*maybe, *looked[1]]
        if self._raw is not None:
            maybe = [*maybe, *self._raw.look(raw)[1]]
        return sure + [rule for rule in dict.fromkeys(maybe) if rule.match(fields, raw)] if maybe else sure

    def candidates(self, fields: Mapping[str, object], raw: str) -> frozenset[Rule]:
        """Return the rules that are left once the literals were looked up."""
        values = [(column, raw if column.place is None else fields.get(column.place)) for column in self._columns]
        looked = [column.look(value) for column, value in values if value is not None]
        return frozenset(self._always).union(*(rules for both in looked for rules in both))


def _needs_its_field(rule: Rule) -> bool:
    """Say whether a rule reads one field and cannot match where it is missing or empty of a value."""
    return rule.reads is not None and not rule.match({}, "") and not rule.match({rule.reads: None}, "")


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value[:MAX_TEXT].lower()]
    return [text_of(each).lower() for each in value] if isinstance(value, (list, tuple)) else [text_of(value).lower()]

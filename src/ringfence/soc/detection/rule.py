"""What a loaded rule is, whatever format it was written in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

Match = Callable[[Mapping[str, object], str], bool]  # the fields and the raw text of an event


class Comparison(StrEnum):
    """How an anchor compares."""

    IS = "is"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A literal, in lower case, that a field must be or contain; the field None is the raw text."""

    field: str | None
    comparison: Comparison
    literal: str


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where a rule says that its events come from; None is not said."""

    product: str | None = None
    category: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a finding of a rule repeats of it."""

    name: str
    title: str
    severity: str
    technique: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule over single events; two are the same only if they are one.

    Attributes:
        about: name and what findings say.
        identifier: the rule's own identifier, for instance its UUID.
        logsource: where its events come from; it is never tried on others.
        match: the condition.
        anchors: one of these must be in an event that matches; None where the condition names no literal.
        reads: the only field that the condition looks at; None where there are several, or the raw text.
    """

    about: About
    identifier: str
    logsource: LogSource
    match: Match
    anchors: frozenset[Anchor] | None
    reads: str | None = None


class Kind(StrEnum):
    """The correlations that are evaluated."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rule over the hits of other rules, within any window of its timespan, both ends included.

    Attributes:
        about: name and what findings say.
        kind: what is asked of a window.
        rules: the rules whose hits count; the order matters for `TEMPORAL_ORDERED`.
        group_by: fields that must be there and be equal.
        seconds: length of the window.
        threshold: how many hits or values at least; the number of rules for the temporal kinds.
        field: whose different values are counted.
        finding: whether it makes findings although another correlation refers to it.
    """

    about: About
    kind: Kind
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    seconds: int
    threshold: int
    field: str = ""
    finding: bool = False


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules and correlations; every correlation's rules come before it."""

    rules: tuple[Rule, ...] = ()
    correlations: tuple[Correlation, ...] = ()

    def names(self) -> frozenset[str]:
        """Return every rule's name."""
        return frozenset({each.about.name for each in self.rules} | {each.about.name for each in self.correlations})

    def silent(self) -> frozenset[str]:
        """Return the rules that only serve correlations and make no findings of their own."""
        served = {name for each in self.correlations for name in each.rules}
        return frozenset(served - {each.about.name for each in self.correlations if each.finding})

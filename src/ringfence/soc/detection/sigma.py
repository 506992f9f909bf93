"""Rules in Sigma format, parsed by pySigma, compiled by us; a rule that we cannot evaluate is refused by name."""

from collections.abc import Sequence
from typing import Any

from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.soc.detection.correlate import MAX_ENTRIES
from ringfence.soc.detection.matching import Unsupported, any_of, compiled
from ringfence.soc.detection.prefilter import anchors, only_field
from ringfence.soc.detection.rule import About, Anchor, Correlation, Kind, LogSource, Rule, RuleSet

TECHNIQUE = "attack.t"
_UNFORESEEN = (AttributeError, KeyError, RecursionError, TypeError, ValueError)  # by pySigma, on odd documents
_LEAST = {"GTE": 0, "GT": 1, "EQ": 0}


def load(texts: Sequence[str]) -> RuleSet:
    """Parse rules, and correlations over them; each text may hold several documents.

    Raises:
        MalformedInput: a rule does not parse, or uses what is not evaluated here.
        Unavailable: pySigma is not installed.
    """
    try:
        from sigma.collection import SigmaCollection
        from sigma.exceptions import SigmaError
    except ImportError:
        raise Unavailable("pySigma is missing; install ringfence with the extra soc") from None
    import yaml

    try:
        parsed = SigmaCollection.from_dicts(_documents(texts))
        found = [_loaded(each) for each in parsed.rules]
    except (SigmaError, yaml.YAMLError, *_UNFORESEEN) as error:
        raise MalformedInput(f"a rule does not parse: {_one_line(error)}") from None
    return _checked(
        RuleSet(
            tuple(each for each in found if isinstance(each, Rule)),
            _ordered([each for each in found if isinstance(each, Correlation)]),
        )
    )


def _documents(texts: Sequence[str]) -> list[dict[str, Any]]:
    import yaml

    found = [document for text in texts for document in yaml.safe_load_all(text) if document is not None]
    if not all(isinstance(document, dict) for document in found):
        raise MalformedInput("a rule does not parse: it is no mapping")
    return found


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _checked(rules: RuleSet) -> RuleSet:
    names = [*(each.about.name for each in rules.rules), *(each.about.name for each in rules.correlations)]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise MalformedInput(f"two rules are called {twice[0]}")
    return rules


def _ordered(correlations: Sequence[Correlation]) -> tuple[Correlation, ...]:
    """Put each correlation behind those that it refers to."""
    ordered: list[Correlation] = []
    waiting = list(correlations)
    while waiting:
        names = {each.about.name for each in waiting}
        ready = [each for each in waiting if not names & set(each.rules)]
        if not ready:
            raise MalformedInput(f"the correlation {waiting[0].about.name} refers to itself by way of others")
        ordered += ready
        waiting = [each for each in waiting if each not in ready]
    return tuple(ordered)


def _loaded(parsed: Any) -> Rule | Correlation:
    try:
        return _correlation(parsed) if hasattr(parsed, "timespan") else _rule(parsed)
    except Unsupported as error:
        raise Unsupported(f"rule {_name(parsed)} ({parsed.title}): {error}") from None


def _name(parsed: Any) -> str:
    return str(parsed.name or parsed.id or parsed.title)


def _about(parsed: Any) -> About:
    level = parsed.level.name.lower() if parsed.level else "medium"
    tags = tuple(str(tag) for tag in parsed.tags or ())
    technique = tuple(tag.removeprefix("attack.").upper() for tag in tags if tag.startswith(TECHNIQUE))
    return About(_name(parsed), str(parsed.title), level, technique)


def _rule(parsed: Any) -> Rule:
    source = parsed.logsource
    conditions = [each.parsed for each in parsed.detection.parsed_condition]
    return Rule(
        _about(parsed),
        str(parsed.id or ""),
        LogSource(source.product, source.category, source.service),
        any_of([compiled(each) for each in conditions]),
        _anchored(conditions),
        only_field(conditions),
    )


def _anchored(conditions: Sequence[Any]) -> frozenset[Anchor] | None:
    parts = [anchors(each) for each in conditions]
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def _correlation(parsed: Any) -> Correlation:
    kind = parsed.type.name.lower()
    if kind not in set(Kind):
        raise Unsupported(f"the correlation type {kind} is not evaluated here")
    if len(parsed.aliases):
        raise Unsupported("field aliases of correlations are not evaluated here")
    if parsed.rules is None or not hasattr(parsed.condition, "op"):
        raise Unsupported("extended conditions of correlations are not evaluated here")
    names = tuple(_name(each.rule) for each in parsed.rules)
    threshold, field = _condition(parsed) if not kind.startswith("temporal") else (len(names), "")
    custom = parsed.custom_attributes or {}
    finding = custom.get("finding") is True
    group = tuple(parsed.group_by or ())
    return Correlation(_about(parsed), Kind(kind), names, group, parsed.timespan.seconds, threshold, field, finding)


def _condition(parsed: Any) -> tuple[int, str]:
    condition = parsed.condition
    if condition.op.name not in _LEAST:
        raise Unsupported(f"the correlation condition {condition.op.name.lower()} waits for what does not happen")
    field = condition.fieldref or ""
    if not isinstance(field, str):
        raise Unsupported("a correlation over several fields is not evaluated here")
    threshold = int(condition.count) + _LEAST[condition.op.name]
    if not 1 <= threshold <= MAX_ENTRIES:
        raise Unsupported(f"a correlation counts to at most {MAX_ENTRIES}")
    return threshold, field

"""Samples: what each rule must fire on, and what it must not; a rule without both is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.rule import RuleSet
from ringfence.soc.model import Event
from ringfence.soc.sources.logs import SOURCES, log_of

AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines of one source, in order, and the rule that they are about."""

    rule: str
    fires: bool
    source: str
    lines: tuple[str, ...]


def samples(texts: Sequence[str]) -> tuple[Sample, ...]:
    """Parse sidecars: for each rule's name `source`, and lists of lines under `fires` and `silent`.

    Raises:
        MalformedInput: a text does not have this shape.
    """
    import yaml

    found: list[Sample] = []
    for text in texts:
        try:
            document = yaml.safe_load(text)
            found += [each for name, told in document.items() for each in _of_rule(str(name), told)]
        except (yaml.YAMLError, AttributeError, TypeError, KeyError):
            raise MalformedInput("samples are a mapping of rules to source, fires and silent") from None
    return tuple(found)


def _of_rule(name: str, told: Mapping[str, Any]) -> list[Sample]:
    return [
        Sample(name, fires, str(told["source"]), tuple(str(line) for line in lines))
        for word, fires in (("fires", True), ("silent", False))
        for lines in told[word]
    ]


def checked(rules: RuleSet, given: Sequence[Sample]) -> RuleSet:
    """Return the rules, if each has true and false samples and all come out as they say.

    Raises:
        MalformedInput: names the rule.
    """
    for name in sorted(rules.names()):
        kinds = {each.fires for each in given if each.rule == name}
        if kinds != {True, False}:
            raise MalformedInput(f"the rule {name} has no {'silent' if True in kinds else 'true'} sample")
    unknown = sorted({each.rule for each in given} - rules.names())
    if unknown:
        raise MalformedInput(f"there are samples of a rule that is not there: {unknown[0]}")
    for sample in given:
        if (sample.rule in fired(rules, sample)) is not sample.fires:
            raise MalformedInput(f"the rule {sample.rule} {'does not fire' if sample.fires else 'fires'} on a sample")
    return rules


def fired(rules: RuleSet, sample: Sample) -> frozenset[str]:
    """Return the names of all rules that fire on a sample, single events and correlations."""
    detector = Detector(rules, blocks=True)
    names: set[str] = set()
    for event in _events(sample):
        names |= {rule.about.name for rule in detector.matched(event)}
        names |= {finding.rule for finding in detector.feed(event)}
    return frozenset(names)


def _events(sample: Sample) -> list[Event]:
    if sample.source not in SOURCES:
        raise MalformedInput(f"there is no source {sample.source[:40]!r}")
    log = log_of(sample.source, "sample")
    found = [log.read(line, AT) for line in sample.lines]
    return [event for event in found if event is not None]

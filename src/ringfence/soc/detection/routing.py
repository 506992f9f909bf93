"""Which rules are tried on which source: those whose log source the source is, and no others.

Tried on everything, one rule of SigmaHQ fires on each line of an auth.log; a wrong route is a wrong answer.
"""

from collections.abc import Iterable, Mapping

from ringfence.soc.detection.prefilter import Prefilter
from ringfence.soc.detection.rule import LogSource, Rule

SOURCES: Mapping[str, LogSource] = {
    "sshd": LogSource(product="linux", service="sshd"),
    "flow": LogSource(product="ringfence", category="network_connection", service="flow"),
    "gateway": LogSource(product="ringfence", category="application", service="gateway"),
}


def serves(source: LogSource, rule: LogSource) -> bool:
    """Say whether a source is what a rule asks for: everything that the rule names is so."""
    asked = ((rule.product, source.product), (rule.category, source.category), (rule.service, source.service))
    return all(wanted is None or wanted == there for wanted, there in asked)


def routed(rules: Iterable[Rule]) -> dict[str, Prefilter]:
    """Return the rules of each source, ready to be looked up."""
    given = list(rules)
    return {
        name: Prefilter([rule for rule in given if serves(source, rule.logsource)]) for name, source in SOURCES.items()
    }

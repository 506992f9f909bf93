"""Rules are tried on their own source only."""

import pytest

from ringfence.soc.detection.routing import SOURCES, routed, serves
from ringfence.soc.detection.rule import About, LogSource, Rule


@pytest.mark.parametrize(
    ("asked", "sources"),
    [
        (LogSource(service="sshd"), {"sshd"}),
        (LogSource(product="linux"), {"sshd"}),
        (LogSource(product="linux", service="sshd"), {"sshd"}),
        (LogSource(product="linux", category="process_creation"), set()),
        (LogSource(product="windows", service="openssh"), set()),
        (LogSource(product="cisco"), set()),
        (LogSource(category="network_connection"), {"flow"}),
    ],
)
def test_who_is_asked(asked: LogSource, sources: set[str]) -> None:
    rule = Rule(About("r", "R", "low"), "", asked, lambda _fields, _raw: True, None)
    assert {name for name, source in SOURCES.items() if serves(source, asked)} == sources
    assert {name for name, route in routed([rule]).items() if route.candidates({}, "")} == sources

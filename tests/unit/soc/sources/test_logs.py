import pytest

from ringfence.kernel.errors import UsageError
from ringfence.soc.detection.routing import SOURCES as ROUTED
from ringfence.soc.sources.logs import SOURCES, log_of
from ringfence.testing.accesses import access
from ringfence.testing.clock import START

FLOW = (
    '{"source_node": "n-0000000a", "source": "10.9.0.2", "target": "10.9.0.6", "protocol": "tcp", "port": 22,'
    ' "packets": 1, "bytes": 60, "verdict": "denied"}'
)
LINES = {
    "sshd": "2026-03-07T01:02:03Z Failed password for root from 192.0.2.1 port 22 ssh2",
    "flow": FLOW,
    "gateway": access(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_is_read_by_its_own_reader_and_has_a_route(source):
    assert source in ROUTED
    event = log_of(source, "n-1").read(LINES[source], START)
    assert event.source == source
    others = [line for name, line in LINES.items() if name != source]
    assert all(log_of(source, "n-1").read(line, START) is None for line in others)


def test_a_source_that_is_not_known_is_refused():
    with pytest.raises(UsageError, match="known are sshd, flow, gateway"):
        log_of("smoke")

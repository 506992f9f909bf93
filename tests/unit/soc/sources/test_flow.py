"""Flow records: the node is the helper's word."""

import json
from datetime import UTC, datetime

import pytest

from ringfence.soc.sources.flow import FlowLog

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RECORD = {
    "source_node": "n-0000000a",
    "source": "10.9.0.2",
    "target": "10.9.0.6",
    "protocol": "TCP",
    "port": 22,
    "packets": 1,
    "bytes": 60,
    "verdict": "denied",
}


def test_a_record() -> None:
    event = FlowLog().read(json.dumps(RECORD), NOW, "7")
    assert event is not None
    assert (event.at, event.node, event.fields["disposition"]) == (NOW, "n-0000000a", "Blocked")
    assert event.fields["dst_endpoint.uid"] == "10.9.0.6 22"
    assert event.fields["metadata.uid"] == "7"


def test_a_record_with_its_time() -> None:
    event = FlowLog().read(json.dumps({**RECORD, "at": "2026-01-01T00:00:00Z", "verdict": "accepted"}), NOW)
    assert event is not None
    assert (event.at.year, event.at.month, event.fields["disposition"]) == (2026, 1, "Allowed")


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"source": "here; drop"},
        {"target": None},
        {"port": 65536},
        {"port": True},
        {"packets": -1},
        {"bytes": "60"},
        {"source_node": "N A"},
        {"at": "soon"},
    ],
)
def test_what_is_no_record_is_kept(change: dict[str, object]) -> None:
    log = FlowLog()
    assert log.read(json.dumps({**RECORD, **change}), NOW) is None
    assert (log.unparsed_count, len(log.unparsed)) == (1, 1)


@pytest.mark.parametrize("line", ["[" * 100_000, "{", "[]", "1e999999", '{"a":' * 5000])
def test_hostile_json_raises_nothing(line: str) -> None:
    assert FlowLog().read(line, NOW) is None

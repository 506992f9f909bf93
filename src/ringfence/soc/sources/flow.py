"""Flow records of the network helper, as JSON lines: who tried to reach whom, and whether it was let through.

The node of a record is the port of the helper that the packets came in by, never what the packets say.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ringfence.soc.model import Event
from ringfence.soc.sources.address import source_of
from ringfence.soc.sources.lines import Tally
from ringfence.soc.sources.syslog import iso

_NODE = re.compile(r"[a-z0-9-]{1,40}")
_DISPOSITIONS = {"accepted": ("Allowed", "Success"), "denied": ("Blocked", "Failure")}
_NUMBERS = (("port", 65535), ("packets", 2**63), ("bytes", 2**63))


@dataclass(slots=True)
class FlowLog(Tally):
    """Reads flow records; what cannot be read is kept and counted."""

    def read(self, line: str, received_at: datetime, uid: str = "") -> Event | None:
        """Return the event of a record, or None where it is none."""
        self.lines += 1
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        event = event_of(record, line, received_at, uid) if isinstance(record, dict) else None
        if event is None:
            self.keep(line)
        else:
            self.parsed += 1
        return event


def event_of(record: Mapping[str, object], raw: str, received_at: datetime, uid: str = "") -> Event | None:
    """Return the event of a record: its time is `at` where it has one, else when it came."""
    node, source, target = (_text(record, name) for name in ("source_node", "source", "target"))
    who, whom = source_of(source), source_of(target)
    verdict = _DISPOSITIONS.get(_text(record, "verdict"))
    numbers = {name: _number(record.get(name), most) for name, most in _NUMBERS}
    at = iso(_text(record, "at")) if "at" in record else received_at
    if not (_NODE.fullmatch(node) and who and whom and verdict and at) or None in numbers.values():
        return None
    fields: dict[str, object] = {
        "activity_name": "Open",
        "disposition": verdict[0],
        "status": verdict[1],
        "device.hostname": node,
        "src_endpoint.uid": who[0],
        "src_endpoint.ip": who[0],
        "dst_endpoint.uid": f"{whom[0]} {numbers['port']}",
        "dst_endpoint.ip": whom[0],
        "dst_endpoint.port": numbers["port"],
        "connection_info.protocol_name": _text(record, "protocol")[:16].lower(),
        "traffic.packets": numbers["packets"],
        "traffic.bytes": numbers["bytes"],
        **({"metadata.uid": uid} if uid else {}),
    }
    return Event(at, received_at, "flow", node, fields, raw)


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None

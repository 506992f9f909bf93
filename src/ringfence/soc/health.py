"""Whether the watch itself still sees: sensors that fell silent, lines that are not understood any more. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.soc.model import Finding, finding_id

SILENT, UNPARSED = "source-silent", "source-unparsed"
MISSED = 3  # heartbeats
BUCKET = 200  # lines over which a ratio is taken
_RISE = 3  # times the ratio of the bucket before
_SHARE = 4  # more than one line in four


@dataclass(frozen=True, slots=True)
class Sensor:
    """One log of one node: when its last line came, and how well its lines are understood."""

    node: str
    source: str
    heartbeat_seconds: int  # 0: none is promised, and silence says nothing
    last_line: datetime
    running: bool = True
    lines: int = 0  # of the bucket that is being filled
    unparsed: int = 0
    before: int = 0  # unparsed lines of the bucket before
    risen_at: datetime | None = None


def heard(sensor: Sensor, *, understood: bool, at: datetime) -> Sensor:
    """Count a line."""
    counted = replace(sensor, last_line=at, lines=sensor.lines + 1, unparsed=sensor.unparsed + (not understood))
    if counted.lines < BUCKET:
        return counted
    rises = counted.unparsed * _SHARE > BUCKET and counted.unparsed >= _RISE * max(1, counted.before)
    risen = (sensor.risen_at or at) if rises or (sensor.risen_at and counted.unparsed * _SHARE > BUCKET) else None
    return replace(counted, lines=0, unparsed=0, before=counted.unparsed, risen_at=risen)


def findings(sensors: Iterable[Sensor], at: datetime) -> list[Finding]:
    """Return what is wrong with the sensors; the same silence or rise gives the same finding."""
    found = []
    for sensor in sensors:
        if _silent(sensor, at):
            title = f"No line and no heartbeat for {MISSED} intervals, although the node runs"
            found.append(_finding(SILENT, sensor, sensor.last_line, at, title))
        if sensor.risen_at is not None:
            title = "A rising share of lines is not understood: a new format, or somebody who hides"
            found.append(_finding(UNPARSED, sensor, sensor.risen_at, at, title))
    return found


def _silent(sensor: Sensor, at: datetime) -> bool:
    patience = timedelta(seconds=MISSED * sensor.heartbeat_seconds)
    return sensor.running and sensor.heartbeat_seconds > 0 and at - sensor.last_line >= patience


def _finding(rule: str, sensor: Sensor, since: datetime, at: datetime, title: str) -> Finding:
    return Finding(
        id=finding_id(rule, sensor.node, sensor.source, since),
        rule=rule,
        subject=sensor.node,
        source="",
        first_seen=since,
        last_seen=at,
        count=1,
        severity="medium",
        technique=("T1562",),
        title=title,
    )

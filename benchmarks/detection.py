"""The sshd lane, lines in and findings out, beside a plain loop; SigmaHQ's rules beside a matcher without literals.

SigmaHQ is not shipped: its row needs RINGFENCE_DATA, the folder with sigma/sigmahq-rules.tar.gz.
"""

import os
import re
import tarfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from measurement import Row

from ringfence.soc.detection import shipped
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.prefilter import Prefilter
from ringfence.soc.detection.rule import LogSource, Rule
from ringfence.soc.detection.sigma import load
from ringfence.soc.ingest import batches
from ringfence.soc.sources.auth import AuthLog
from ringfence.testing import authlog

START = datetime(2026, 3, 7, tzinfo=UTC)
LINES = 50_000
REPEATS = 5
PLAIN = re.compile(r"sshd\[\d+\]: Failed password for (?:invalid user )?(.*) from (\S+) port (\d+) ssh2$")


def line(number: int, text: str) -> str:
    """Return a line of a node's syslog, ten a second."""
    at = (START + timedelta(milliseconds=100 * number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at} node sshd[{number % 30000}]: {text}"


def usual() -> list[str]:
    """Return what a node's log mostly holds: one line in ten tells of a failure."""
    texts = (
        "Failed password for root from 198.51.100.{n} port {port} ssh2",
        "pam_unix(sshd:session): session opened for user ann by (uid=0)",
        "Accepted publickey for ann from 203.0.113.7 port {port} ssh2: ED25519 SHA256:" + "a" * 43,
        "Received disconnect from 203.0.113.7 port {port}:11: disconnected by user",
        "Disconnected from 203.0.113.7 port {port}",
        "Connection closed by 198.51.100.{n} port {port} [preauth]",
        "pam_unix(sshd:session): session closed for user ann",
        "Starting session: command for ann from 203.0.113.7 port {port} id 0",
        "Close session: user ann from 203.0.113.7 port {port} id 0",
        "Connection from 203.0.113.7 port {port} on 10.0.0.1 port 22",
    )
    return [line(n, texts[n % 10].format(n=n % 250, port=1024 + n % 60000)) for n in range(LINES)]


def attack() -> list[str]:
    """Return the worst case: each line is a failure, from as many sources as there are."""
    text = "Failed password for invalid user x{n} from 198.51.{n}.{m} port {port} ssh2"
    return [line(n, text.format(n=n % 251, m=n % 241, port=1024 + n % 60000)) for n in range(LINES)]


def mixed() -> list[str]:
    """Return attackers and innocents of eleven kinds, more than half of the lines about a failure."""
    return authlog.log(authlog.actors(7))


def lane(lines: list[str]) -> None:
    """Parse, detect, correlate, as `events ingest` does."""
    log, detector = AuthLog("n-0000000a"), Detector(shipped.rules())
    events = (event for each in lines if (event := log.read(each, START)) is not None)
    for batch in batches(events):
        for event in batch:
            detector.feed(event)


def plain(lines: list[str]) -> None:
    """Find failures by one regular expression and count them by source: no times, no windows, no other forms."""
    counts: dict[str, int] = {}
    for each in lines:
        found = PLAIN.search(each)
        if found:
            counts[found[2]] = counts.get(found[2], 0) + 1


Events = list[dict[str, object]]
Routed = list[tuple[list[Rule], Prefilter, Events]]  # of one log source each


def sigmahq() -> Routed:
    """Load linux, network and web, and make events of each log source: usual ones, and one in 1,000 with a literal."""
    archive = Path(os.environ.get("RINGFENCE_DATA", ""), "sigma", "sigmahq-rules.tar.gz")
    if not archive.is_file():
        return []
    classes: dict[LogSource, list[Rule]] = {}
    with tarfile.open(archive) as tar:
        for each in tar:
            stream = tar.extractfile(each) if re.search(r"rules/(linux|network|web)/.*\.yml$", each.name) else None
            for rule in load([stream.read().decode()]).rules if stream else ():
                classes.setdefault(rule.logsource, []).append(rule)
    return [(rules, Prefilter(rules), events(rules)) for rules in classes.values()]


def events(rules: Sequence[Rule], count: int = 2000) -> Events:
    """Return events with every field that the rules look for; values come again, as they do in logs."""
    chance = Random(7)  # noqa: S311 - a sample, the same each time
    anchors = sorted((a.field or "", a.literal) for rule in rules for a in rule.anchors or ())
    fields = sorted({field for field, _literal in anchors if field})
    found: Events = [
        {name: f"/opt/service/bin/worker-{int(chance.paretovariate(0.7)) % 3000} --value" for name in fields}
        for _each in range(count)
    ]
    for event in found[::1000] if anchors else ():
        field, literal = chance.choice(anchors)
        event[field] = literal
    return found


def by_literals(routed: Routed) -> int:
    """Match every event, literals first."""
    return sum(len(route.matching(event, "")) for _rules, route, some in routed for event in some)


def by_dictionaries(routed: Routed) -> int:
    """Match every event against every rule of its log source."""
    return sum(1 for rules, _route, some in routed for event in some for rule in rules if rule.match(event, ""))


def of_sigmahq() -> list[Row]:
    """Measure matching alone: no parsing, no correlation, no storing."""
    routed = sigmahq()
    if not routed:
        return []
    if by_literals(routed) != by_dictionaries(routed):
        raise ValueError("the two ways do not find the same")
    count = sum(len(some) for _rules, _route, some in routed)
    times = [[milliseconds(lambda work=work: work(routed)) * 1000 / count for _each in range(3)]  # type: ignore[misc]
             for work in (by_literals, by_dictionaries)]  # fmt: skip
    rules = sum(len(some) for some, _route, _events in routed)
    return [
        Row(
            f"SigmaHQ linux, network, web ({rules} rules), routed, 1,000 events",
            "<= 2 ms",
            times[0],
            "ms CPU",
            peer="dict matcher",
            theirs=times[1],
            limit=2.0,
            note="500,000 events per CPU-second are 2 ms per 1,000; matching alone, by event; values come again",
        )
    ]


def milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def per_thousand(work: Callable[[list[str]], None], lines: list[str]) -> list[float]:
    """Return CPU milliseconds per 1,000 lines."""
    return [milliseconds(lambda: work(lines)) * 1000 / len(lines) for _repeat in range(REPEATS)]


def measure() -> list[Row]:
    """Measure the lane on three logs, and SigmaHQ's rules where they are."""
    shipped.rules()
    note = "10 ms is 100,000 lines per CPU-second; the plain loop knows one form, no times and no windows"
    logs = (("usual log", usual(), 10.0), ("attack only", attack(), 16.7), ("mixed log", mixed(), None))
    lanes = [
        Row(
            f"sshd lane, 1,000 lines, {what}",
            f"<= {limit} ms" if limit else "",
            per_thousand(lane, lines),
            "ms CPU",
            peer="one regular expression",
            theirs=per_thousand(plain, lines),
            limit=limit,
            note=note,
        )
        for what, lines, limit in logs
    ]
    return lanes + of_sigmahq()

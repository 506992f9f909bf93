"""A log as a whole: who reports, what is counted."""

from datetime import UTC, datetime

import pytest

from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.lines import KEPT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FAILED = "Failed password for root from 192.0.2.1 port 22022 ssh2"


def test_the_reporter_is_the_transport_and_not_the_text() -> None:
    event = AuthLog("n-0000000a").read(f"2026-03-07T01:02:03.5Z node-b sshd[1]: {FAILED}", NOW)
    assert event is not None
    assert event.node == event.fields["device.hostname"] == "n-0000000a"


def test_a_bare_line_of_a_node() -> None:
    line = f"2026-03-07T01:02:03.500Z {FAILED}\r"
    event = AuthLog("n-0000000a").read(line, NOW, "file:17")
    assert event is not None
    assert event.at == datetime(2026, 3, 7, 1, 2, 3, 500000, tzinfo=UTC)
    assert event.fields["metadata.uid"] == "file:17"
    assert event.raw == line


@pytest.mark.parametrize("line", ["Mar  7 01:02:03 a CRON[1]: " + FAILED, "Mar  7 01:02:03 a sshd2[1]: " + FAILED])
def test_other_programs_say_nothing_about_logins(line: str) -> None:
    log = AuthLog()
    assert log.read(line, NOW) is None
    assert (log.lines, log.parsed, log.foreign) == (1, 1, 1)


def test_what_is_not_understood_is_kept_and_counted() -> None:
    log = AuthLog()
    for number in range(KEPT + 5):
        assert log.read(f"2026-03-07T01:02:03Z what is this {number}", NOW) is None
    log.read("", NOW)
    assert (log.lines, log.parsed, log.unparsed_count, len(log.unparsed)) == (KEPT + 6, 1, KEPT + 5, KEPT)


def test_time_from_the_future_is_marked() -> None:
    event = AuthLog("n").read(f"2026-11-22T00:02:01Z {FAILED}", NOW)
    usual = AuthLog("n").read(f"2026-11-22T00:02:00Z {FAILED}", NOW)
    assert event is not None
    assert usual is not None
    assert (event.fields["unmapped.skewed"], "unmapped.skewed" in usual.fields) == (True, False)


def test_a_host_name_is_no_address() -> None:
    event = AuthLog("n").read("2026-11-22T00:00:00Z Failed password for x from a.example port 2 ssh2", NOW)
    assert event is not None
    assert event.fields["src_endpoint.hostname"] == "a.example"
    assert "src_endpoint.ip" not in event.fields

"""Frames, and the years of lines that name none."""

from datetime import UTC, datetime

import pytest

from ringfence.soc.sources.syslog import Calendar, Frames, iso, newest_year

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "host", "program", "pid"),
    [
        ("Mar  7 01:02:03 node-a sshd[12]: hello world", "node-a", "sshd", "12"),
        ("<38>Mar  7 01:02:03 node-a sshd[12]: hello world", "node-a", "sshd", "12"),
        ("Mar 7 01:02:03 node-a sshd-session: hello world", "node-a", "sshd-session", ""),
        ("2026-03-07T01:02:03Z node-a sshd-auth[12]: hello world", "node-a", "sshd-auth", "12"),
        ("2026-03-07T02:02:03.000+01:00 node-a sshd[12]: hello world", "node-a", "sshd", "12"),
        ("<38>1 2026-03-07T01:02:03Z node-a sshd 12 - - hello world", "node-a", "sshd", "12"),
        ('<38>1 2026-03-07T01:02:03Z node-a sshd 12 ID [a@1 b="\\"]\\\\"][c] hello world', "node-a", "sshd", "12"),
        ("<38>1 2026-03-07T01:02:03Z - sshd - - - \ufeffhello world", "", "sshd", ""),
        ("2026-03-07T01:02:03Z hello world", "", "", ""),
    ],
)
def test_frames(line: str, host: str, program: str, pid: str) -> None:
    frame = Frames(Calendar(2026)).parse(line)
    assert frame is not None
    assert frame.at == datetime(2026, 3, 7, 1, 2, 3, tzinfo=UTC)
    assert (frame.host, frame.program, frame.pid, frame.message) == (host, program, pid, "hello world")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "Foo  7 01:02:03 a sshd: x",
        "Feb 30 01:02:03 a sshd: x",
        "Mar  7 25:02:03 a sshd: x",
        "Mar  7 01:02:03x a sshd: x",
        "2026-13-07T01:02:03Z x",
        "<38>1 - a sshd 12 - - x",
        "<38>1 2026-03-07T01:02:03Z a sshd",
        '<38>1 2026-03-07T01:02:03Z a sshd 12 - [a b="c" x',
        "9999-12-31T23:59:59-23:59 x",
    ],
)
def test_no_frame_without_a_time_that_exists(line: str) -> None:
    assert Frames(Calendar(2026)).parse(line) is None


def test_a_host_that_ends_with_a_colon_is_the_message() -> None:
    frame = Frames().parse("2026-03-07T01:02:03Z error: PAM: Authentication failure for x from 192.0.2.1")
    assert frame is not None
    assert frame.message.startswith("error: PAM:")


def test_the_year_turns_after_december() -> None:
    frames = Frames(Calendar(2025))
    stamps = ["Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01", "Mar  1 00:00:00"]
    found = [frames.parse(f"{stamp} a sshd: x") for stamp in stamps]
    assert [frame.at.year for frame in found if frame] == [2025, 2026, 2025, 2026, 2026]


def test_a_little_disorder_turns_nothing() -> None:
    calendar = Calendar(2026)
    assert [calendar.year(6, 8), calendar.year(6, 7), calendar.year(7, 7)] == [2026, 2026, 2026]


@pytest.mark.parametrize(
    ("latest", "year"),
    [
        (datetime(2000, 3, 31, tzinfo=UTC), 2026),
        (datetime(2000, 12, 24, tzinfo=UTC), 2025),
        (datetime(2001, 1, 2, tzinfo=UTC), 2025),
        (datetime(2000, 2, 29, tzinfo=UTC), 2024),
        (datetime(2000, 11, 22, 23, tzinfo=UTC), 2026),
    ],
)
def test_newest_year_without_a_line_in_the_future(latest: datetime, year: int) -> None:
    assert newest_year(2000, latest, NOW) == year


def test_iso_reads_what_is_there() -> None:
    assert iso("2026-01-01T00:00:00.123456789Z") == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert iso("2026-01-01 00:00:00,5") == datetime(2026, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)
    assert iso("yesterday") is None


def test_first_pass_sees_times_only() -> None:
    frames = Frames(Calendar(2000))
    assert frames.time("<38>Mar  7 01:02:03 a sshd: x") == datetime(2000, 3, 7, 1, 2, 3, tzinfo=UTC)
    assert frames.calendar.used
    assert frames.time("nothing") is None

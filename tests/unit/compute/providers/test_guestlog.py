import os

import pytest

from ringfence.compute.providers.guestlog import follow, unstamped
from ringfence.compute.providers.logpipe import LogFile
from ringfence.soc.sources.auth import AuthLog
from ringfence.testing.clock import FakeClock

SAID = b"machine sshd[12]: Failed password for invalid user x from 192.0.2.7 port 4000 ssh2"


@pytest.mark.parametrize(
    "stamp",
    [
        *(b"Nov 22 05:18:16 ", b"Nov  2 05:18:16 ", b"2026-11-22T05:18:16.123456+00:00 ", b"2026-11-22T05:18:16Z "),
        *(b"2026-11-22T05:18:16+0000 ", b"<38>Nov 22 05:18:16 "),
    ],
)
def test_the_machines_own_time_is_dropped(stamp):
    assert unstamped(stamp + SAID) == SAID


@pytest.mark.parametrize("line", [SAID, b"", b"Nov 22", b"Nov 22 05:18 machine sshd[1]: x", b" Nov 22 05:18:16 x"])
def test_anything_else_stays(line):
    assert unstamped(line) == line


def test_lines_are_written_so_that_the_watch_reads_them(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"Nov 22 05:18:16 " + SAID + b"\nNov 22 05:18:17 machine sudo[1]: root : PWD=/\nhalf a li")
    os.close(writing)
    follow(reading, LogFile(str(tmp_path / "log")))
    os.close(reading)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2, "half a line is none"
    reader = AuthLog(node="n-0123abcd")
    events = [reader.read(line, FakeClock().now()) for line in lines]
    assert (reader.unparsed_count, reader.foreign) == (0, 1)
    assert events[0].fields["src_endpoint.ip"] == "192.0.2.7"
    assert events[0].node == "n-0123abcd"

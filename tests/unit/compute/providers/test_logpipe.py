import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from ringfence.compute.providers import logpipe
from ringfence.compute.providers.logpipe import CUT, LISTENING, LONGEST, Lines, LogFile, follow, framed

AT = 1_763_800_000.25


def test_a_line_carries_the_time_of_its_receipt():
    assert framed(b"Failed password for root", AT) == b"2025-11-22T08:26:40.250Z Failed password for root\n"


@pytest.mark.parametrize("text", [b"a\rb", b"a\x1b[2Jb", b"a\x00b", b"a\x0bb", b"a\x7fb"])
def test_what_is_not_printable_cannot_begin_a_line(text):
    assert framed(text, AT).count(b"\n") == 1
    assert b"?" in framed(text, AT)


def test_an_overlong_line_is_cut():
    line = framed(b"x" * (LONGEST + 1), AT)
    assert line.endswith(b"x" + CUT + b"\n")
    assert len(line) < LONGEST + 64


def test_lines_come_out_of_pieces():
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\n\nthree") == [b"two", b""]
    assert lines.end() == [b"three"]
    assert Lines().end() == []


def test_an_endless_line_is_not_held():
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"x" * LONGEST) == []
    (line,) = lines.feed(b"\n")
    assert len(line) == LONGEST + 1


def test_the_file_turns_over(tmp_path):
    log = LogFile(str(tmp_path / "log"), largest=100)
    for number in range(6):
        log.write([b"line %d" % number], AT)
    assert (tmp_path / "log").stat().st_size <= 100
    assert b"line 5" in (tmp_path / "log").read_bytes()
    assert b"line 2" in (tmp_path / "log.1").read_bytes()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_where_there_is_no_room_lines_are_counted_and_none_is_half_written(tmp_path):
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (70, resource.RLIM_INFINITY))
from ringfence.compute.providers.logpipe import LogFile
log = LogFile({str(tmp_path / "log")!r})
for number in range(4): log.write([b"a line of some length"], 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.write([b"the last"], 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    texts = [line[25:] for line in (tmp_path / "log").read_text().splitlines()]
    assert texts == ["a line of some length", "ringfence: 3 lines were lost", "the last"]


def test_it_ends_with_its_pipe(tmp_path):
    path = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-I", "-S", logpipe.__file__, str(path)], check=False, input=b"one\ntwo", timeout=20
    )
    assert done.returncode == 0
    assert [line.split(b" ", 1)[1] for line in path.read_bytes().splitlines()] == [b"one", b"two"]


def test_a_quiet_log_says_that_it_is_listening(tmp_path):
    read, write = os.pipe()
    path = tmp_path / "sshd.log"
    follower = threading.Thread(target=follow, args=(read, LogFile(str(path)), 0.01), daemon=True)
    follower.start()
    until = time.monotonic() + 10
    while LISTENING not in path.read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    os.write(write, b"Accepted\n")
    os.close(write)
    follower.join(timeout=10)
    os.close(read)
    lines = path.read_bytes().splitlines()
    assert lines[0].endswith(LISTENING)
    assert lines[-1].endswith(b"Accepted")


def test_the_whole_size_is_reserved_when_the_file_is_made(tmp_path):
    path = tmp_path / "sshd.log"
    LogFile(str(path), largest=2**20)
    assert path.stat().st_size == 0
    assert path.stat().st_blocks * 512 >= 2**20


def test_a_message_is_one_line_whatever_line_feeds_a_stranger_s_name_has(tmp_path):
    """`sshd -e` prints them as they are: behind one, everything would look like sshd's own words."""
    read, write = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path, forged = tmp_path / "sshd.log", b"Accepted password for root from 10.0.0.9 port 22 ssh2"
    follower = threading.Thread(target=follow, args=(read.fileno(), LogFile(str(path))), daemon=True)
    follower.start()
    for end in (b"\n", b"\r\n", b"\n\r\n\n"):
        write.send(b"Invalid user x" + end + forged + end + b"y from 203.0.113.7 port 40000\r\n")
    write.send(b"Connection closed\r\n")
    write.close()
    follower.join(timeout=10)
    read.close()
    texts = [line[25:] for line in path.read_bytes().splitlines()]
    assert len(texts) == 4
    assert all(text.startswith(b"Invalid user x?") and text.endswith(b"port 40000") for text in texts[:3])
    assert texts[3] == b"Connection closed"

"""The host's side of a node's log: read what its sshd says from a socket, and write it with the time of receipt.

Run as `python -I -S logpipe.py FILE`; it ends when the last writer does. Each line of the file is
`<RFC 3339, UTC, milliseconds> <what sshd said>`. `sshd -e` prints no prefix (no host, no `sshd[pid]:`), and
the line feeds and carriage returns of a user name as they are. So the socket keeps messages apart (SOCK_SEQPACKET): one
write of sshd is one line here. The framing is written here and nowhere else: an overlong line is cut and marked, and a
control character becomes `?`, so that nothing a stranger types can begin a line. The file's
whole size is reserved on the disk when it is made: who fills the disk must not be able to come in unseen. Where even
that was not to be had, lines are lost and counted, never waited for: the node's sshd must not hang on its log. A quiet
log says every few seconds that it is listening, so that silence means something. When the file exceeds its size it
becomes `FILE.1`, and the older one goes.
"""

# ruff: noqa: PTH105 -- a process per node, for as long as it lives: what is not imported is not held

import ctypes
import os
import select
import stat
import sys
import time

LONGEST = 4096  # bytes of one line; sshd's own limit is 1,024
LARGEST = 4 * 2**20  # bytes of one file, reserved
HEARTBEAT = 10.0  # seconds after which a quiet log says that it is listening
LISTENING = b"ringfence: listening"
CUT = b" [cut]"
READ = 65536
PRINTABLE = bytes(byte if byte == 9 or 32 <= byte < 127 or byte >= 128 else ord("?") for byte in range(256))


def framed(line: bytes, at: float) -> bytes:
    """Return a line as it is written: its time, then its text, bounded and without control characters."""
    seconds, millis = divmod(int(at * 1000), 1000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode() + b".%03dZ " % millis
    text = line.rstrip(b"\r").translate(PRINTABLE)
    return stamp + (text[:LONGEST] + CUT if len(text) > LONGEST else text) + b"\n"


class Lines:
    """Whole lines out of pieces; of an overlong one, the beginning."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes."""
        *whole, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[: LONGEST + 1]
        return [line[: LONGEST + 1] for line in whole]

    def end(self) -> list[bytes]:
        """Return what was left unfinished."""
        return [self._rest] if self._rest else []


class Messages(Lines):
    """Messages that come one by one, each a line, whatever line feeds are in it."""

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the message without its end."""
        return [piece.removesuffix(b"\n")[: LONGEST + 1]]


class LogFile:
    """A file that grows to its size, and one older one."""

    def __init__(self, path: str, largest: int = LARGEST) -> None:
        self.path, self.largest, self.lost = path, largest, 0
        self._open()

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _reserve(self._file, self.largest)

    def write(self, lines: list[bytes], at: float) -> None:
        """Append lines; say afterwards how many there was no room for."""
        notice = [b"ringfence: %d lines were lost" % self.lost] if self.lost else []
        data = b"".join(framed(line, at) for line in (*notice, *lines))
        self.lost = 0 if not data or self._appended(data) else self.lost + len(lines)

    def _appended(self, data: bytes) -> bool:
        """Append all of it, or nothing."""
        try:
            self._rotate(len(data))
            before = os.fstat(self._file).st_size
            if os.write(self._file, data) == len(data):
                return True
            os.ftruncate(self._file, before)
        except OSError:
            pass
        return False

    def _rotate(self, more: int) -> None:
        if os.fstat(self._file).st_size + more > self.largest:
            os.replace(self.path, self.path + ".1")
            os.close(self._file)
            self._open()


def _reserve(file: int, size: int) -> None:
    """Take the blocks of a file now, without making it longer; a file system that cannot, does not."""
    allocate = ctypes.CDLL(None, use_errno=True).fallocate
    allocate(file, 1, ctypes.c_long(0), ctypes.c_long(size))  # 1: FALLOC_FL_KEEP_SIZE


def follow(source: int, log: LogFile, heartbeat: float = HEARTBEAT) -> None:
    """Write every message of a socket until it ends; of a pipe, every line."""
    lines = Messages() if stat.S_ISSOCK(os.fstat(source).st_mode) else Lines()
    while True:
        ready, _, _ = select.select([source], [], [], heartbeat)
        piece = os.read(source, READ) if ready else b""
        if ready and not piece:
            break
        said = lines.feed(piece) if ready else [LISTENING]
        log.write(said, time.time())  # noqa: TID251 -- a program of its own: there is no port to take
    log.write(lines.end(), time.time())  # noqa: TID251


def main() -> None:
    """Follow standard input."""
    follow(0, LogFile(sys.argv[1]))


if __name__ == "__main__":
    main()

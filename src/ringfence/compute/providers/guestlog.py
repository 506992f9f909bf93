"""Follow the log of sshd on a machine of one's own over SSH, and write it on our side.

Run as `python -I -m ringfence.compute.providers.guestlog FILE MARKER -- SSH…`. It leaves its caller's session, prints
its pid, starts the SSH client, and ends with it.

**These lines come from the machine itself.** Root there can leave lines out or make them up, and where syslog takes the
log, any user there can write a line in sshd's name (`logger -t sshd`). Which machine they are of is not theirs to say.
Lines that are written while nobody follows are missed. The machine's own time is replaced by the time of receipt; host
and program stay as they are, so that lines of other programs are told apart.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence

from ringfence.compute.providers.logpipe import READ, Lines, LogFile

COMMAND = (
    "sh -c 'for f in /var/log/auth.log /var/log/secure; do test -r $f && exec tail -n 0 -F $f; done; "
    "exec journalctl -f -n 0 -o short-iso -u ssh -u sshd'"
)
_STAMP = re.compile(
    rb"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[0-9:.,]{8,20}(?:Z|[+-]\d\d:?\d\d)?) "
)


def unstamped(line: bytes) -> bytes:
    """Return a line without the machine's own time."""
    found = _STAMP.match(line)
    return line[found.end() :] if found else line


def follow(source: int, log: LogFile) -> None:
    """Write every line until the pipe ends."""
    lines = Lines()
    while piece := os.read(source, READ):
        log.write([unstamped(line) for line in lines.feed(piece)], time.time())  # noqa: TID251 -- a program of its own


def run(log: str, argv: Sequence[str]) -> None:
    """Start the client and follow it to its end."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(argv, stdin=nothing, stdout=pipe, stderr=nothing) as client:  # noqa: S603 -- our caller's argv
        if client.stdout is not None:
            follow(client.stdout.fileno(), LogFile(log))


def main() -> None:
    """Become a process of its own, say which, and follow."""
    log, _, argv = sys.argv[1], sys.argv[2], sys.argv[4:]
    if child := os.fork():
        os.write(1, b"%d\n" % child)
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    run(log, argv)


if __name__ == "__main__":
    main()

"""What runs as the first process of a test's machine: a syslog, an echo service, sshd; told by JSON lines what to do.

Only ever started in namespaces that a test made: `unshare --net --mount --pid --fork`, by `ringfence.testing.own_host`.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ringfence.compute.providers.launch import MS_BIND, MS_PRIVATE, MS_REC, mount

PLACE = Path("/run/guest")
LOG = Path("/var/log/auth.log")
USERS = """\
root:x:0:0::/run/guest/home:/bin/bash
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
deploy:x:1234:1234::/run/guest/home:/bin/bash
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
"""
CONFIGURATION = """\
HostKey /run/guest/host_key
PidFile /run/guest/sshd.pid
UsePAM no
UseDNS no
LogLevel VERBOSE
SyslogFacility AUTH
PasswordAuthentication no
KbdInteractiveAuthentication no
PerSourceMaxStartups none
MaxStartups 100
AddressFamily any
"""


HEARD: list[bytes] = []


def furnish(plan: dict[str, Any]) -> None:
    """Give the machine file systems, users and nft of its own."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", 0)
    for directory in ("/run", "/var/log", "/usr/local/sbin"):
        mount("tmpfs", directory, "tmpfs", 0, "mode=0755")
    PLACE.mkdir()
    (PLACE / "home").mkdir()
    Path("/run/sshd").mkdir(mode=0o755)
    _devices()
    (PLACE / "passwd").write_text(USERS)
    mount(str(PLACE / "passwd"), "/etc/passwd", None, MS_BIND)
    wrapper = Path("/usr/local/sbin/nft")
    libraries = plan["libraries"].get("LD_LIBRARY_PATH", "")
    wrapper.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{plan["nft"]}" "$@"\n')
    wrapper.chmod(0o755)


def _devices() -> None:
    kept = ("null", "zero", "random", "urandom", "full", "tty")
    held = PLACE / "dev"
    held.mkdir()
    for name in kept:
        (held / name).touch()
        mount(f"/dev/{name}", str(held / name), None, MS_BIND)
    mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755")
    for name in kept:
        Path("/dev", name).touch()
        mount(str(held / name), f"/dev/{name}", None, MS_BIND)
    Path("/dev/fd").symlink_to("/proc/self/fd")
    Path("/dev/shm").mkdir(mode=0o1777)  # noqa: S108


def log_system_messages() -> None:
    """Be syslog: write what comes to /dev/log as rsyslog does, `Mon DD HH:MM:SS host program[pid]: text`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind("/dev/log")
    os.chmod("/dev/log", 0o666)  # noqa: PTH101, S103
    LOG.touch(mode=0o600)

    def take() -> None:
        with LOG.open("ab", buffering=0) as log:
            while True:
                line = listener.recv(8192).partition(b">")[2].rstrip(b"\0\n")
                log.write(line[:16] + b"machine " + line[16:] + b"\n")

    threading.Thread(target=take, daemon=True).start()


def serve_echo(port: int) -> None:
    """Answer whoever connects with his own words."""
    listener = socket.create_server(("", port))

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := connection.recv(1000):
                HEARD.append(data)
                connection.sendall(data)

    def take() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=take, daemon=True).start()


def begin(plan: dict[str, Any]) -> dict[str, Any]:
    """Become the machine."""
    furnish(plan)
    log_system_messages()
    serve_echo(plan["echo"])
    key = PLACE / "host_key"
    key.touch(mode=0o600)
    key.write_text(plan["host_key"])
    configuration = PLACE / "sshd_config"
    trust = (
        f"Match User {plan['user']}\nTrustedUserCAKeys /run/guest/ca\nAuthorizedPrincipalsFile /run/guest/principals\n"
    )
    configuration.write_text(CONFIGURATION + trust)
    start = PLACE / "start"
    libraries = plan["libraries"].get("LD_LIBRARY_PATH", "")
    start.write_text(f'LD_LIBRARY_PATH="{libraries}" exec "{plan["sshd"]}" -f {configuration}\n')
    subprocess.run(["/bin/sh", str(start)], check=True)  # noqa: S603
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 22), timeout=1):
            return {}
        time.sleep(0.02)
    return {"error": "sshd does not listen"}


def trust(request: dict[str, Any]) -> dict[str, Any]:
    """Install an authority and a principal."""
    (PLACE / "ca").write_text(request["ca"] + "\n")
    (PLACE / "principals").write_text(request["principal"] + "\n")
    return {}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Run a program."""
    done = subprocess.run(  # noqa: S603
        request["argv"], input=request["said"], capture_output=True, text=True, env=request["env"], check=False
    )
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def reach(request: dict[str, Any]) -> dict[str, Any]:
    """Try to open a connection."""
    address, port = request["to"]
    source = ("", request["source_port"])
    try:
        with socket.socket() as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(source)
            made.settimeout(0.7)
            made.connect((address, port))
    except OSError as error:
        return {"open": False, "because": str(error)}
    return {"open": True}


def heard(_request: dict[str, Any]) -> dict[str, Any]:
    """Return how often anybody said anything to the echo service."""
    return {"times": len(HEARD)}


DEEDS = {"heard": heard, "hello": lambda _: {}, "begin": begin, "trust": trust, "run": run, "reach": reach}


def main() -> None:
    """Do what the lines say until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(DEEDS[request["do"]](request)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""The first half second of a namespace node: everything that needs privilege, then `execve` of bubblewrap.

Run as `python -I -S launch.py MARKER`, as root or as root of a user namespace; standard library only, so that it starts
in some 20 ms. It reads a plan (one line of JSON) from standard input and answers on standard output:

1. leaves its parent's process and session, so that the node outlives whoever asked for it;
2. enters network and mount namespaces that belong to us, not to the node: nothing inside has rights over them;
3. answers `{"pid": …}`, and waits for `go`: our caller plugs the network in and writes down what runs;
   without `go` it ends, so that a crash of the caller leaves nothing behind;
4. starts the log writer, enters its control groups, takes the limits, drops to the node's user, and becomes bubblewrap,
   which writes the pid of the sandbox's first process to the same standard output.
"""

# ruff: noqa: PTH102, PTH110, PTH118, PTH123, S606 -- this is on the way of every start: pathlib alone would take a quarter of its time

import ctypes
import fcntl
import json
import os
import resource
import socket
import struct
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_NO_NEW_PRIVS = 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NOTHING = 0
SETTINGS = {
    "net/ipv4/ip_unprivileged_port_start": "22",  # sshd has no capability to bind its port with
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """Raise `OSError` for a failed call of the C library."""
    if result != NOTHING:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount."""
    arguments = [text.encode() if text is not None else None for text in (source, target, kind)]
    data_bytes = data.encode() if data is not None else None
    checked(libc.mount(*arguments, ctypes.c_ulong(flags), data_bytes), f"mount {target}")


def own_namespaces(stage: str, sources: dict[str, str]) -> None:
    """Enter new namespaces; show `sources` below `stage`, where the node's user can reach them, read-only."""
    checked(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", stage, "tmpfs", MS_NOSUID, "mode=0755,size=64k")
    for name, source in sources.items():
        target = os.path.join(stage, name)
        os.mkdir(target, 0o755)
        mount(source, target, None, MS_BIND)
        mount(source, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID)


def tune_network() -> None:
    """Bring the loopback up, let sshd have its port, and turn IPv6 off."""
    for name, value in SETTINGS.items():
        if os.path.exists(f"/proc/sys/{name}"):
            with open(f"/proc/sys/{name}", "w") as file:
                file.write(value)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", NOTHING)
        flags = struct.unpack("16sH14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def log_pipe(writer: list[str]) -> int:
    """Start the log writer in a session of its own; return the end that the node's sshd writes to.

    No pipe: each message of sshd is one write, and here it stays one, whatever line feeds a stranger's name has in it.
    """
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = pair[0].detach(), pair[1].detach()
    for end in (reading, writing):
        os.set_inheritable(end, True)  # noqa: FBT003 -- its own signature
    if os.fork() == NOTHING:
        os.setsid()
        os.dup2(reading, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        os.closerange(3, 256)
        os.execve(writer[0], writer, {})  # the plan's argv, written by our caller
    os.close(reading)
    return writing


def file_descriptors(files: dict[str, Any]) -> list[str]:
    """Hold the content of the sandbox's own files; return bubblewrap's arguments that put them there."""
    arguments = []
    for path, (mode, text) in files.items():
        held = os.memfd_create("file", 0)
        os.write(held, text.encode())
        os.lseek(held, 0, os.SEEK_SET)
        arguments += ["--perms", f"{mode:04o}", "--ro-bind-data", str(held), path]
    return arguments


def confine(plan: dict[str, Any]) -> None:
    """Enter the control groups, take the limits, and give every privilege up."""
    for group in plan["groups"]:
        with open(os.path.join(group, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))
    for name, value in plan["rlimits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if plan["uid"] is not None:
        os.setgroups([])
        os.setresgid(plan["uid"], plan["uid"], plan["uid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    os.umask(0o022)


def become(plan: dict[str, Any], answers: int) -> None:
    """Replace this process by bubblewrap."""
    errors = log_pipe(plan["writer"])
    nowhere = os.open(os.devnull, os.O_RDWR)
    given = file_descriptors(plan["files"])
    confine(plan)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(errors, 2)
    os.close(errors)
    os.close(nowhere)
    os.set_inheritable(answers, True)  # noqa: FBT003 -- its own signature
    argv = [*plan["argv"], "--info-fd", str(answers), *given, *plan["last"]]
    os.execve(argv[0], argv, plan["environment"])


def say(answers: int, what: dict[str, Any]) -> None:
    """Answer our caller."""
    os.write(answers, json.dumps(what).encode() + b"\n")


def main() -> None:
    """Carry the plan out; tell every failure to the caller."""
    plan = json.loads(sys.stdin.buffer.readline())
    if os.fork() != NOTHING:
        os._exit(0)
    os.setsid()
    answers = os.dup(1)
    try:
        own_namespaces(plan["stage"], plan["sources"])
        tune_network()
        say(answers, {"pid": os.getpid()})
        if sys.stdin.buffer.readline() == b"go\n":
            become(plan, answers)
    except (OSError, ValueError) as problem:
        say(answers, {"error": str(problem)})
    os._exit(1)


if __name__ == "__main__":
    main()

"""The process between `ringfence run` and its command here: it owns the memory in which the inputs are.

Run as `python -I -S keeper.py SOCKET MOUNTPOINT FOLDER`; standard library only. It

1. enters a mount namespace of its own (in a user namespace where it is not root) and mounts a memory file system
   on MOUNTPOINT, where only it and what it starts can see it; where the kernel refuses, it takes FOLDER, below
   /dev/shm;
2. answers with an open descriptor of that place, into which our caller writes, and then makes the place read-only;
3. starts a second process, the guard, which starts the command that it is told, in a session of its own and without
   core files, answers how it ended, and kills what the command left behind;
4. does that itself where the guard was killed, as the guard does where we were. Either of them ends what would
   otherwise keep the memory; once all are gone the file system is, and FOLDER is removed.

It hears JSON lines on SOCKET: `{"argv", "cwd", "env"}` once, `{"signal": n}` at any time; the end of the stream kills.
"""

# ruff: noqa: PTH123, PTH208, S606 -- on the way of every run: pathlib alone would take a quarter of its time

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_REC, MS_SLAVE = 1, 2, 4, 32, 16384, 1 << 19
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SHUT = MS_NOSUID | MS_NODEV

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """Raise `OSError` for a failed call of the C library."""
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount."""
    names = (source.encode(), target.encode(), kind.encode() if kind else None)
    checked(libc.mount(*names, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def write(path: str, text: str) -> None:
    """Write a file of the kernel's."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter() -> None:
    """Enter a mount namespace of our own; as root directly, else in a user namespace that maps us to ourselves."""
    user, group = os.geteuid(), os.getegid()
    checked(libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if user else 0)), "unshare")
    if user:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
    mount("none", "/", None, MS_REC | MS_SLAVE)


def mount_memory(target: str) -> bool:
    """Mount a memory file system; return whether the kernel may write it to swap."""
    try:
        mount("tmpfs", target, "tmpfs", SHUT, "mode=0700,noswap")
    except OSError:  # an older kernel, or a user namespace
        mount("tmpfs", target, "tmpfs", SHUT, "mode=0700")
        return swap_is_on()
    return False


def swap_is_on() -> bool:
    """Return whether memory may be written to a disk."""
    try:
        with open("/proc/swaps", encoding="utf-8") as file:
            return len(file.readlines()) > 1
    except OSError:
        return True


def place(target: str, folder: str) -> dict[str, Any]:
    """Make the place for the inputs; say which it is."""
    if target:
        try:
            enter()
            return {"kind": "private-tmpfs", "path": target, "swap": mount_memory(target)}
        except OSError as error:
            because = str(error)
    else:
        because = "not asked for"
    kind = "shared-memory" if folder else "none"
    return {"kind": kind, "path": folder or "/", "swap": swap_is_on(), "because": because}


class Line:
    """JSON lines over a socket."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.kept = b""

    def hear(self) -> dict[str, Any] | None:
        """Return the next line; None at the end."""
        while b"\n" not in self.kept:
            piece = self.link.recv(65536)
            if not piece:
                return None
            self.kept += piece
        line, _, self.kept = self.kept.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def say(self, document: dict[str, Any], *descriptors: int) -> None:
        """Send a line."""
        data = json.dumps(document).encode() + b"\n"
        if descriptors:
            socket.send_fds(self.link, [data], list(descriptors))
        else:
            self.link.sendall(data)


def become(order: dict[str, Any], failed: int) -> None:
    """Become the command, in the child; write why where that fails."""
    os.setsid()
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would be the inputs on a disk
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(order["cwd"])
        os.execvpe(order["argv"][0], order["argv"], order["env"])
    except (OSError, ValueError) as error:
        os.write(failed, str(error).encode())
    os._exit(127)


def start(order: dict[str, Any]) -> tuple[int, str]:
    """Start the command; return its process and, where it did not start, why."""
    hears, says = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        try:
            become(order, says)
        finally:
            os._exit(127)
    os.close(says)
    because = os.read(hears, 4096).decode("utf-8", "replace")
    os.close(hears)
    return child, because


def signalled(child: int, number: int) -> None:
    """Send a signal to the command's session leader and its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, number)


def told(line: Line, owner: int) -> dict[str, Any] | None:
    """Return the next line; None where nobody is there to say one, or the owner of the memory was killed."""
    ready = select.select([line.link.fileno(), owner], [], [])[0]
    return None if owner in ready else line.hear()


def wait(child: int, line: Line, owner: int) -> int:
    """Obey until the command has ended; return its status."""
    descriptor = os.pidfd_open(child)
    while True:
        ready = select.select([descriptor, line.link.fileno(), owner], [], [])[0]
        if descriptor in ready:
            return os.waitpid(child, 0)[1]
        heard = told(line, owner)
        signalled(child, heard["signal"] if heard else signal.SIGKILL)
        if heard is None:
            return os.waitpid(child, 0)[1]


def children() -> list[int]:
    """Return the processes whose parent we are; orphans of the command come to us."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == os.getpid():
            found.append(int(name))
    return found


def sweep() -> None:
    """Kill what was left to us, and theirs, until nobody is left."""
    while left := children():
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for process in left:  # and for no other: theirs come to us as they die, and are not killed yet
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)


def adopt() -> None:
    """Become the parent of whatever loses its own below us."""
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def guard(line: Line, made: dict[str, Any], owner: int) -> None:
    """Run the command, and end what it left; `owner` is the end of a pipe that ends with whoever owns the memory."""
    os.setsid()  # who kills our parent's group does not kill us too
    adopt()
    order = told(line, owner)
    if order is None:
        return
    if made["kind"] == "private-tmpfs":
        mount("none", made["path"], None, MS_REMOUNT | MS_RDONLY | SHUT)
    child, because = start(order)
    status = wait(child, line, owner)
    signalled(child, signal.SIGKILL)
    sweep()
    if not select.select([owner], [], [], 0)[0]:  # else nothing of it is to be believed
        line.say({"because": because, "status": os.waitstatus_to_exitcode(status)})


def removed(folder: str) -> None:
    """Remove the place in shared memory, where there is one."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def guarded(line: Line, made: dict[str, Any], folder: str) -> None:
    """Start the guard, wait for its end, and end what a guard that was killed has left."""
    owner, held = os.pipe2(os.O_CLOEXEC)
    process = os.fork()
    if not process:
        try:
            os.close(held)
            guard(line, made, owner)
        except OSError:
            pass  # nobody is there to hear it; our parent ends what is left
        finally:
            removed(folder)  # whoever owns it may have been killed
            os._exit(0)
    line.link.close()  # its end is the guard's end
    os.waitpid(process, 0)
    sweep()


def main() -> None:
    """Keep one run."""
    descriptor, target, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # our caller decides; when it is gone, its end of the socket is closed
    os.set_inheritable(descriptor, False)  # noqa: FBT003 -- the command has no part in it, nor keeps it open
    line = Line(socket.socket(fileno=descriptor))
    try:
        adopt()
        made = place(target, folder)
        opened = os.open(made["path"], os.O_RDONLY | os.O_DIRECTORY)
        line.say(made, opened)
        os.close(opened)
        guarded(line, made, folder)
    except (BrokenPipeError, ConnectionError):
        pass  # nobody is there to hear it; what follows is done all the same
    finally:
        removed(folder)


if __name__ == "__main__":
    main()

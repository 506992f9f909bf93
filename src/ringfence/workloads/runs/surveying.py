"""Read what a probe said about a Python and its machine; a node may say anything. Pure."""

import re
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.text import printable
from ringfence.workloads.runs.model import Lock, Machine

MAX_REPORT = 2 * 2**20
MAX_PACKAGES = 10_000
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}==[!-~]{1,100}( sha256:[0-9a-f]{64})?")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_PLATFORM = re.compile(r"[0-9A-Za-z_.-]{1,80}")
_ACCELERATOR = re.compile(r"[a-z][a-z0-9:-]{0,39}")
MAX_CPU = 100


def read(data: bytes, *, source: str) -> tuple[Lock, Machine]:
    """Parse a probe's line; raise `MalformedInput`."""
    match digest.loads(data, source=source, limit=MAX_REPORT):
        case {
            "python": str() as python,
            "platform": str() as platform,
            "packages": list() as packages,
            "cpu": str() as cpu,
            "cores": int() as cores,
            "memory_mib": int() as memory,
            "accelerators": list() as accelerators,
        } if len(packages) <= MAX_PACKAGES and len(accelerators) <= 16 and 0 <= cores <= 65536 and 0 <= memory < 2**40:
            lock = Lock(
                _each(_VERSION, [python], source)[0],
                _each(_PLATFORM, [platform], source)[0],
                tuple(sorted(set(_each(_PACKAGE, packages, source)))),
            )
            return lock, Machine(shown(cpu), cores, memory, tuple(sorted(_each(_ACCELERATOR, accelerators, source))))
        case _:
            raise MalformedInput("the probe did not describe a Python and its machine", source=source)


def _each(pattern: re.Pattern[str], values: list[Any], source: str) -> list[str]:
    for value in values:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedInput(f"{str(value)[:60]!r} does not name a package, a version or a device", source=source)
    return values


def shown(cpu: str) -> str:
    """Return the name of a processor as printable ASCII."""
    return printable(" ".join(cpu.split()), MAX_CPU, ascii_only=True)


def lock_digest(lock: Lock) -> Digest:
    """Return the digest of an environment: the same packages on the same Python give the same."""
    return Digest.of("\n".join((lock.python, lock.platform, *lock.packages)).encode("ascii"))

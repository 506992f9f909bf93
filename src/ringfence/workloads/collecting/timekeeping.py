"""The collector of `clock.sync`: what the kernel knows of its own clock, and who disciplines it."""

import ctypes
import ctypes.util
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ringfence.compute.model import Node, NodeClass
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

SYNC = PredicateName("clock.sync")
NONE = "none"
MOST = 100  # milliseconds by which a clock may be off
DAEMONS = {"chronyd": "chrony", "systemd-timesyn": "timesyncd", "ntpd": "ntpd"}  # by the name the kernel has for them
_UNSYNC, _NANO = 0x0040, 0x2000  # bits of `status` in <sys/timex.h>
_ERROR = 5  # TIME_ERROR: the clock is not synchronised


@dataclass(frozen=True, slots=True)
class Discipline:
    """What is known of the clock of one machine; the error is the largest that the kernel allows for, in µs."""

    offset_micros: int
    error_micros: int
    synchronised: bool
    source: str  # chrony | timesyncd | ntpd | none

    @property
    def off_millis(self) -> int:
        """Return by how much the clock may be off: the offset that is being corrected, or its estimated error."""
        return -(-max(abs(self.offset_micros), self.error_micros) // 1000)


class Timekeeper(Protocol):
    """The clock of a machine."""

    def discipline(self) -> Discipline:
        """Return what is known of it; raise `Unavailable` where the kernel does not say."""
        ...


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """Look at our clock and at those of a tenant's nodes.

    A namespace shares our kernel and with it our clock; of every other node we do not know it, and say so.
    """

    keeper: Timekeeper
    nodes: Callable[[Tenant], Iterable[Node]]

    def __call__(self, tenant: Tenant) -> Draft:
        """Ask the kernel."""
        return draft(tenant, self.keeper.discipline(), list(self.nodes(tenant)))


def draft(tenant: Tenant, ours: Discipline, nodes: Iterable[Node]) -> Draft:
    """State how the clocks stand."""
    known = list(nodes)
    good = ours.synchronised and ours.off_millis <= MOST
    same = sum(one.spec.node_class is NodeClass.NAMESPACE for one in known)
    claims = {
        "offsetMillis": ours.off_millis,
        "source": ours.source,
        "synchronised": ours.synchronised,
        "nodes": len(known),
        "nodesOff": len(known) - (same if good else 0),
    }
    return observation(SYNC, tenant, claims, about="clock")


class _Timex(ctypes.Structure):
    """The head of `struct timex`; the kernel fills in more, and there is room for it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


@dataclass(frozen=True, slots=True)
class KernelClock:
    """`Timekeeper` over `adjtimex(2)`, read-only, and over the names of the processes."""

    processes: Path = Path("/proc")

    def discipline(self) -> Discipline:
        """Ask the kernel of this machine."""
        state = _Timex()
        library = ctypes.CDLL(ctypes.util.find_library("c") or None, use_errno=True)
        answer = library.adjtimex(ctypes.byref(state))
        if answer < 0:
            raise Unavailable(f"the kernel does not tell how its clock stands: {os.strerror(ctypes.get_errno())}")
        offset = state.offset // 1000 if state.status & _NANO else state.offset
        synchronised = answer != _ERROR and not state.status & _UNSYNC
        return Discipline(offset, state.esterror, synchronised, self.source())

    def source(self) -> str:
        """Return which of the known programs runs; one in a container of its own is not seen."""
        for path in self.processes.glob("[0-9]*/comm"):
            try:
                name = path.read_text().strip()
            except OSError:  # it has ended
                continue
            if name in DAEMONS:
                return DAEMONS[name]
        return NONE

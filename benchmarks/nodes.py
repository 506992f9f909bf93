"""Nodes: from the request to the end of the first command over SSH, per class; peers are printed, none runs here."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measurement import Row

from ringfence.compute.model import NodeClass
from ringfence.compute.ports import Authority, Provider
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.vm import VmProvider
from ringfence.fabric.client import Fabric
from ringfence.installation import SystemClock
from ringfence.testing import compute

STARTS = 20
Opened = Callable[[Path, Callable[[], Fabric], Authority], Provider]


def _measured(directory: Path, fabric: Callable[[], Fabric], authority: Authority) -> Provider:
    return MeasuredProvider(directory, fabric, authority, Issuer(directory.parent / "ek_ca", SystemClock()))


# Class, how it is opened, how often it is started, and the target in milliseconds.
CLASSES: list[tuple[NodeClass, Opened, int, float]] = [
    (NodeClass.NAMESPACE, NamespaceProvider, STARTS, 400.0),
    (NodeClass.VM, VmProvider, 10, 15_000.0),  # emulated where a probe guest does not boot
    (NodeClass.MEASURED, _measured, 5, 25_000.0),
]
MEMORY_MIB = {NodeClass.MEASURED: 512}


@contextmanager
def suite(node_class: NodeClass, opened: Opened) -> Iterator[compute.Suite]:
    """Open a provider with a fabric of its own."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        fabric = Fabric.open(place / "fabric")
        authority = KeyFileAuthority(place / "ssh_ca", SystemClock())

        def again() -> Provider:
            return opened(place / "nodes", lambda: fabric, authority)

        wanted = compute.spec(node_class=node_class, memory_mib=MEMORY_MIB.get(node_class, 256))
        made = compute.Suite(again(), authority, SystemClock(), wanted, place, again, patience=60.0)
        try:
            with compute.cleaned(made):
                yield made
        finally:
            fabric.close(end=True)


def starts(node_class: NodeClass, opened: Opened, count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds until SSH proved its key, and until the first command was done."""
    ready, done = [], []
    with suite(node_class, opened) as made:
        for _ in range(count):
            begun = time.perf_counter()
            made.start()
            ready.append((time.perf_counter() - begun) * 1000)
            said = made.ssh("true")
            done.append((time.perf_counter() - begun) * 1000)
            assert said.done, said.err
            made.provider.destroy(made.node)
    return ready, done


def measure() -> list[Row]:
    """Measure every class that this machine can run."""
    rows = []
    for node_class, opened, count, limit in CLASSES:
        ready, done = starts(node_class, opened, count)
        rows.append(Row(f"{node_class} node: request to SSH with its host key proved", "printed", ready, "ms"))
        target = f"p50 <= {limit:.0f} ms"
        rows.append(Row(f"{node_class} node: request to the end of the first command", target, done, "ms", limit=limit))
    return rows

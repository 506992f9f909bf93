"""End whatever of an installation outlives its process: nodes, the network helper, the gateway."""

from collections.abc import Callable
from pathlib import Path

from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.vm import VmProvider
from ringfence.fabric.client import Fabric
from ringfence.gateway import worker
from ringfence.installation import SystemClock
from ringfence.workloads.serving import FOLDER


def end_nodes(home: Path, fabric: Callable[[], Fabric]) -> None:
    """End every node of this machine that a home has."""
    clock, nodes = SystemClock(), home / "nodes"
    authority = KeyFileAuthority(home / "keys" / "ssh_ca", clock)
    for provider in (
        NamespaceProvider(nodes, fabric, authority),
        VmProvider(nodes, fabric, authority),
        MeasuredProvider(nodes, fabric, authority, Issuer.of(home, clock)),
    ):
        for node in provider.existing():
            provider.destroy(node)


def clear(home: Path) -> None:
    """End every node of this machine that a home has, cut off or not, then its network helper and its gateway."""
    fabric = (home / "fabric").absolute()
    if (home / "nodes").exists():
        end_nodes(home, lambda: Fabric.open(fabric))
    if fabric.exists():
        Fabric(fabric).close(end=True)
    place = worker.Place(home / FOLDER, home / "gateway.log", 0)
    for orphan in worker.running(place):
        worker.end(orphan, lambda pid=orphan: pid in worker.running(place))  # type: ignore[misc]

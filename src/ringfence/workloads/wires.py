"""The wires of engines of ours: nodes, tunnels, the gateway's folder, and the loop that looks after them."""

import random
from collections.abc import Callable, Sequence

from ringfence.compute.service import Compute
from ringfence.gateway.service import Gateway
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.deploying import Deploying
from ringfence.workloads.enginefile import FOLDER, EngineFiles
from ringfence.workloads.intake.quarantine import Quarantine
from ringfence.workloads.keeping import Keeping
from ringfence.workloads.ports import Admits
from ringfence.workloads.readiness import is_ready
from ringfence.workloads.serving import FOLDER as GATEWAY
from ringfence.workloads.shell import NodeShell
from ringfence.workloads.sockets import GatewaySockets


def deploying(
    home: Home,
    gateway: Gateway,
    compute: Compute,
    tenants: Callable[[], Sequence[Tenant]],
    clock: Clock,
    admit: Admits,
) -> Deploying:
    """Join ports and adapters."""
    keeping = Keeping(
        gateway=gateway,
        compute=compute,
        files=EngineFiles(home.path / FOLDER),
        sockets=GatewaySockets(home.path / GATEWAY),
        shells=lambda caller, node: NodeShell(compute, caller, node),
        ready=is_ready,
        tenants=tenants,
        clock=clock,
        jitter=random.random,
    )
    return Deploying(keeping, admit, Quarantine(home.path).covers)


def rounds(deploying: Deploying) -> Callable[[], int]:
    """Return the turn of a loop; the first one also ends what was starting when we were killed."""
    begun = False

    def turn() -> int:
        nonlocal begun
        first, begun = not begun, True
        return deploying.keeping.turn(first=first)

    return turn

"""The collector of `channel.tls`: where this installation listens, what it speaks there, and how it reaches engines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from ringfence.gateway.model import Deployment, DeploymentState
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.soc.notifier import is_local
from ringfence.workloads.collecting.observing import observation

CHANNELS = PredicateName("channel.tls")
SOON = timedelta(days=14)
STRONG = frozenset({"TLSv1.2", "TLSv1.3"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody listens."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Tell whether only this machine reaches it."""
        return is_local(self.host)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a handshake came to."""

    version: str  # as OpenSSL calls it; empty where the other side speaks no TLS
    ends_at: datetime | None = None  # of the certificate


@dataclass(frozen=True, slots=True)
class Channel:
    """A way along which something is said; `handshake` is None where it does not leave the machine, or is a tunnel."""

    name: str
    local: bool
    handshake: Handshake | None = None
    mutual: bool = False  # both ends have shown a key
    unreached: str = ""


class Wire(Protocol):
    """What listens here, and what answers there."""

    def listeners(self) -> Sequence[Address]:
        """Return where this process and those that it started listen."""
        ...

    def handshake(self, address: Address) -> Handshake:
        """Try TLS; raise `Unavailable` where nobody answers."""
        ...


@dataclass(frozen=True, slots=True)
class Channels:
    """Try every listener, and every engine that a tenant's deployments lead to."""

    wire: Wire
    deployments: Callable[[Tenant], Iterable[Deployment]]
    clock: Clock

    def __call__(self, tenant: Tenant) -> Draft:
        """Try them."""
        listening = [self._tried(one, "listener") for one in self.wire.listeners()]
        served = [one for one in self.deployments(tenant) if one.state is DeploymentState.SERVING]
        return draft(tenant, listening, [self._upstream(one) for one in served], self.clock.now())

    def _tried(self, address: Address, what: str) -> Channel:
        name = f"{what} {address.host}:{address.port}"
        if address.local:
            return Channel(name, local=True)
        try:
            return Channel(name, local=False, handshake=self.wire.handshake(address))
        except Unavailable as error:
            return Channel(name, local=False, unreached=str(error))

    def _upstream(self, deployment: Deployment) -> Channel:
        """Try the engine of a deployment; one on a node is reached through SSH, with a certificate and a pinned key."""
        name = f"upstream {deployment.name}"
        if deployment.upstream.socket:
            return Channel(name, local=True, mutual=bool(deployment.node))
        parts = urlsplit(deployment.upstream.url)
        address = Address(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        if parts.scheme != "https" and not address.local:
            return Channel(name, local=False, handshake=Handshake(""))
        return self._tried(address, name)


def draft(tenant: Tenant, listening: Sequence[Channel], upstreams: Sequence[Channel], now: datetime) -> Draft:
    """State what is spoken on the channels."""
    known = [one for one in (*listening, *upstreams) if not one.unreached]
    shaken = [one.handshake for one in known if one.handshake is not None]
    claims = {
        "channels": len(known),
        "plaintext": sum(not one.version for one in shaken),
        "weak": sum(bool(one.version) and one.version not in STRONG for one in shaken),
        "mutual": sum(one.mutual for one in known),
        "expiring": sum(one.ends_at is not None and one.ends_at - now <= SOON for one in shaken),
        "loopbackOnly": all(one.local for one in listening),
        "unprobed": len(listening) + len(upstreams) - len(known),
    }
    listed = [[one.name, one.handshake.version if one.handshake else ""] for one in known]
    missed = [[one.name, one.unreached[:200]] for one in (*listening, *upstreams) if one.unreached]
    return observation(CHANNELS, tenant, claims, {"channels": listed, "unreached": missed}, about="channels")

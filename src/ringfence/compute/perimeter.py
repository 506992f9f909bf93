"""Keep an address out of the outside ports, and let it in again."""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass, replace

from ringfence.compute import statements
from ringfence.compute.desk import Desk
from ringfence.compute.model import Block
from ringfence.compute.ports import Perimeter
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable
from ringfence.kernel.evidence import EmergencyRecorder
from ringfence.kernel.identifier import Tenant

MAX_SECONDS = 7 * 86_400
_SALT_SIZE = 16


def source_address(text: object) -> str:
    """Return an address that may be blocked; raise `MalformedInput` for what is none."""
    try:
        return str(ipaddress.IPv4Address(text if isinstance(text, str) else ""))
    except ValueError as error:
        raise MalformedInput(f"{str(text)[:40]!r} is not an IPv4 address; IPv6 is closed as a whole") from error


@dataclass(frozen=True, slots=True)
class Blocking:
    """The use cases of the outside ports; blocking acts first, like all containment."""

    desk: Desk
    perimeter: Perimeter
    emergency: EmergencyRecorder

    def block(self, tenant: Tenant, address: str, *, seconds: int, finding: str = "") -> Block:
        """Drop what comes from an address, for so many seconds; 0 means until somebody ends it."""
        source = source_address(address)
        if not 0 <= seconds <= MAX_SECONDS:
            raise MalformedInput(f"a block lasts 0 (until somebody ends it) to {MAX_SECONDS} seconds, not {seconds}")
        self.perimeter.block(source, seconds=seconds or None)
        known = self._known(tenant, source)
        if known is not None:
            longer = replace(known, seconds=seconds, blocked_at=self.desk.now())
            self._keep(longer)
            return longer
        subject = Digest.of(self.desk.random(_SALT_SIZE) + source.encode())
        made = Block(tenant, subject, source, finding, seconds, self.desk.now())
        self.emergency.record(statements.blocked(made), tenant=tenant)
        self._keep(made)
        return made

    def unblock(self, caller: Person, address: str) -> Block:
        """Let an address in again."""
        known = self._known(caller.tenant, source_address(address))
        if known is None:
            raise NotFound("this address is not blocked for this tenant")
        ended = replace(known, ended_at=self.desk.now())
        with self.desk.transaction():
            self.desk.nodes.put_block(ended)
            draft = statements.unblocked(ended, by=caller.id, at=self.desk.now())
            self.desk.recorder.record(draft, tenant=caller.tenant)
        if not any(block.address == ended.address for block in self.desk.nodes.blocks()):
            self.perimeter.unblock(ended.address)  # unless another tenant keeps the address out as well
        return ended

    def expire(self) -> None:
        """State the end of the blocks that the helper has let go of."""
        blocked = set(self.perimeter.blocked())
        for block in self.desk.nodes.blocks():
            if block.address not in blocked:
                ended = replace(block, ended_at=self.desk.now())
                with self.desk.transaction():
                    self.desk.nodes.put_block(ended)
                    draft = statements.unblocked(ended, by="", at=self.desk.now())
                    self.desk.recorder.record(draft, tenant=block.tenant)

    def _known(self, tenant: Tenant, address: str) -> Block | None:
        with suppress(Unavailable):
            for block in self.desk.nodes.blocks():
                if block.tenant == tenant and block.address == address:
                    return block
        return None

    def _keep(self, block: Block) -> None:
        with suppress(Unavailable), self.desk.transaction():
            self.desk.nodes.put_block(block)

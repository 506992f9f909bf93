"""What does not work: the gateway, its keys and routes, its segments; a passkey that may be two; sweeps."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.gateway.intake import Intake
from ringfence.gateway.publishing import Confirmation
from ringfence.gateway.pulse import Pulse
from ringfence.identity.model import TenantRecord
from ringfence.identity.signin.keyring import PasskeyTable
from ringfence.identity.signin.model import Owner, Passkey
from ringfence.identity.signin.statements import PASSKEY_REFUSED
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.service import Ledger
from ringfence.retention.troubles import Trouble, Troubles
from ringfence.soc.faults import (
    GATEWAY_SILENT,
    OVERRIDES_REFUSED,
    PASSKEY_COPIED,
    RETENTION_STUCK,
    SEGMENT_REFUSED,
    UNCONFIRMED,
    Fault,
)
from ringfence.storage.database import Database

PATIENCE = timedelta(seconds=5)  # with a confirmation that fails: a database may be busy for a moment


@dataclass(frozen=True, slots=True)
class GatewayFaults:
    """`soc.ports.Faults` over what the loops of `up` have come across."""

    pulse: Pulse
    confirmation: Confirmation
    intake: Intake
    clock: Clock

    def __call__(self) -> list[Fault]:
        """Return what does not work now."""
        return [*self._silent(), *self._unconfirmed(), *self._refused()]

    def _silent(self) -> Iterator[Fault]:
        since = self.pulse.stuck_since(self.clock.now())
        if since is not None:
            yield Fault(GATEWAY_SILENT, None, to_text(since), since, self.pulse.because)

    def _unconfirmed(self) -> Iterator[Fault]:
        since = self.confirmation.failed_since
        if since is not None and not since <= self.clock.now() < since + PATIENCE:
            yield Fault(UNCONFIRMED, None, to_text(since), since, self.confirmation.because)

    def _refused(self) -> Iterator[Fault]:
        now = self.clock.now()
        for tenant, progress in tuple(self.intake.progress.items()):
            since = progress.stuck_since(now)
            if since is not None:
                key = f"{tenant} {progress.admitted + 1}"  # the same segment is the same finding after a restart
                yield Fault(SEGMENT_REFUSED, tenant, key, since, progress.refused)


@dataclass(frozen=True, slots=True)
class CopiedPasskeys:
    """`soc.ports.Faults` over passkeys that counted backwards, until each is removed."""

    tenants: Callable[[], Iterable[Tenant]]
    refused: Callable[[Tenant], Iterable[LoggedStatement]]
    passkeys: Callable[[Owner], Iterable[Passkey]]

    def __call__(self) -> list[Fault]:
        """Return those that still open something."""
        return [fault for tenant in self.tenants() for fault in self._of(tenant)]

    def _of(self, tenant: Tenant) -> Iterator[Fault]:
        first: dict[str, LoggedStatement] = {}
        for logged in self.refused(tenant):
            first.setdefault(logged.envelope.statement.claims["credential"], logged)
        for credential, logged in first.items():
            person = logged.envelope.statement.claims["person"]
            if credential in {passkey.id for passkey in self.passkeys(Owner(tenant, person))}:
                because = f"remove the passkey {credential[:16]} of {person}, and enrol another"
                yield Fault(PASSKEY_COPIED, tenant, credential, logged.recorded_at, because)


@dataclass(frozen=True, slots=True)
class RetentionFaults:
    """`soc.ports.Faults` over what the last sweep could not do: one of each tenant, however much that is."""

    troubles: Troubles

    def __call__(self) -> list[Fault]:
        """Return what is to be destroyed and cannot be."""
        of: dict[Tenant | None, list[Trouble]] = {}
        for trouble in self.troubles.all():
            of.setdefault(trouble.tenant, []).append(trouble)
        return [self._of(tenant, found) for tenant, found in of.items()]

    @staticmethod
    def _of(tenant: Tenant | None, found: Sequence[Trouble]) -> Fault:
        first = min(found, key=lambda trouble: (trouble.since, trouble.key))
        others = f"; {len(found) - 1} more" if len(found) > 1 else ""
        key = f"{tenant or ''} {to_text(first.since)}"
        return Fault(RETENTION_STUCK, tenant, key, first.since, f"{first.key}: {first.because}{others}")


@dataclass(frozen=True, slots=True)
class RefusedOverrides:
    """`soc.ports.Faults` over a team's overrides of the rules: where they are refused, ours count."""

    because: str
    since: datetime

    def __call__(self) -> list[Fault]:
        """Return that they are refused."""
        if not self.because:
            return []
        return [Fault(OVERRIDES_REFUSED, None, self.because, self.since, self.because)]


def copied_passkeys(
    database: Database, ledger: Ledger, tenants: Callable[[], Iterable[TenantRecord]]
) -> CopiedPasskeys:
    """Join log and passkeys."""
    return CopiedPasskeys(
        lambda: [record.tenant for record in tenants()],
        lambda tenant: ledger.statements(tenant, [PASSKEY_REFUSED]),
        PasskeyTable(database).of,
    )

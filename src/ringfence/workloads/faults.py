"""What of the gateway does not work: its process, its keys and routes, its segments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ringfence.gateway.intake import Intake
from ringfence.gateway.publishing import Confirmation
from ringfence.gateway.pulse import Pulse
from ringfence.kernel.clock import Clock, to_text
from ringfence.soc.faults import GATEWAY_SILENT, SEGMENT_REFUSED, UNCONFIRMED, Fault

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

"""The register of retention: what the control plane observes of periods and sweeps, for the controls to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.retention.model import ClassName, Schedule
from ringfence.retention.sweeping import Plan, Sweeper

REGISTER = PredicateName("retention.register")
RECORDS = ClassName("inference-records")
LATE = timedelta(days=2)  # after the end of its period: a sweep comes every hour


@dataclass(frozen=True, slots=True)
class Register:
    """The collector of `retention.register`."""

    sweeper: Sweeper

    def record(self, tenant: Tenant) -> Acknowledgement:
        """State what is kept for how long now, and what should be gone; raise where own periods are refused."""
        runner = self.sweeper.runner
        schedule = runner.schedule(tenant)
        late = self.sweeper.plans(tenant, runner.clock.now() - LATE)
        made = draft(tenant, schedule, late, len(runner.in_force(tenant)))
        with runner.transaction():
            return runner.recorder.record(made, tenant=tenant)


def draft(tenant: Tenant, schedule: Schedule, late: Sequence[Plan], holds: int) -> Draft:
    """State the register; `late` is what should have been swept by now, or cannot be read."""
    records = schedule.named(RECORDS).period
    claims = {
        "classes": len(schedule.classes),
        "overridden": sum(one.overridden for one in schedule.classes),
        "schedule": str(schedule.digest),
        "inferenceRecordDays": records,
        "overdue": sum(len(plan.due) + len(plan.unreadable) for plan in late),
        "held": sum(plan.held for plan in late),
        "holds": holds,
    }
    subject = Subject(f"retention/{tenant}", Digest.of(dumps(claims)))
    return Draft(REGISTER, (subject,), claims, Strength.OBSERVED)

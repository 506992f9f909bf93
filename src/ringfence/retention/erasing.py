"""Erase what is known about a subject, a person or a statement: details and salts; envelopes and statuses stay."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, UsageError
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.retention import deciding, statements
from ringfence.retention.deciding import Verdict
from ringfence.retention.model import Act, Fate, Item, Outcome
from ringfence.retention.ports import Wanted
from ringfence.retention.running import Runner, counted

MOST = 1_500  # items of one erasure: its statement names each commitment
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants erased, in their own words."""

    statement: str = ""
    subject: str = ""
    person: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Erasing:
    """Use cases of erasure."""

    runner: Runner
    known_as: Callable[[Tenant, PersonId], frozenset[str]]  # a person's id and keys
    wanted: Callable[[Asked], Wanted]

    def plan(self, tenant: Tenant, asked: Asked) -> list[tuple[Item, Verdict]]:
        """Return what an erasure would destroy, and what it would not, with the reason."""
        wanted = self.wanted(asked)
        if wanted.empty:
            raise UsageError("say what is to be erased: a statement, a subject or a person")
        if wanted.names:
            wanted = Wanted(names=self.known_as(tenant, PersonId(asked.person)))
        found: list[Item] = []
        for source in self.runner.sources:
            found += source.about(tenant, wanted, MOST + 1 - len(found))
        if len(found) > MOST:
            raise UsageError(f"that concerns more than {MOST} records; name a narrower subject, or single statements")
        schedule, holds, now = self.runner.schedule(tenant), self.runner.in_force(tenant), self.runner.clock.now()
        return [(item, deciding.judge(item, schedule, holds, Act.ERASE, now)) for item in found]

    def erase(self, by: Person, asked: Asked) -> tuple[Outcome, Acknowledgement]:
        """Destroy what may be destroyed.

        Raises:
            NotFound: there is nothing.
            Refused: a hold or a law keeps all of it.
        """
        check_reason(asked.because)
        planned = self.plan(by.tenant, asked)
        if not planned:
            raise NotFound("nothing that can be erased is kept of that")
        fates = counted([verdict.fate for _, verdict in planned])
        wanted = [item for item, verdict in planned if verdict.fate is Fate.WANTED]
        if not wanted:
            raise Refused(f"none of these {len(planned)} records can be erased: {planned[0][1].because}")
        words = {"statement": asked.statement, "subject": asked.subject, "person": asked.person}
        details = {name: text for name, text in words.items() if text} | {"because": asked.because}
        stated = partial(statements.erasure_requested, by=by, fates=fates, asked=details)
        run = self.runner.begin(by.tenant, Act.ERASE, None, wanted, stated)
        return self.runner.carry_out(run)


def check_reason(because: str) -> None:
    """Return where somebody says why, neither with nothing nor at length."""
    if not 1 <= len(because) <= LONGEST_REASON:
        raise MalformedInput(f"say why, in 1 to {LONGEST_REASON} characters")

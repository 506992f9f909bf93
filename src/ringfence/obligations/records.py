"""The statements of one tenant, arranged so that the newest one about a thing is found without a search.

Immutable: `extended` shares what did not change, so a reader never sees half an update.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Strength
from ringfence.ledger.model import LoggedStatement, Standing

UNPROVEN = (
    "it is unproven: its key was compromised, or one that led to it, and only the operator says that it is from before"
)
Run = tuple[LoggedStatement, ...]  # in the order of the log


def until(run: Run, at: datetime) -> int:
    """Return how many statements of `run` the log had taken in at `at`; recorded times never decrease in a log."""
    if not run or run[-1].recorded_at <= at:  # nearly always: the question is about now
        return len(run)
    return bisect_right(run, at, key=lambda logged: logged.recorded_at)


def digest_under(logged: LoggedStatement, name: str) -> Digest | None:
    """Return the digest that a statement gives the subject called `name`."""
    for subject in logged.envelope.statement.subjects:
        if subject.name == name:
            return subject.digest
    return None


@dataclass(frozen=True, slots=True)
class Trail:
    """The statements of one evidence type; `set_aside` are those that no rule may count."""

    run: Run = ()
    by_subject: Mapping[str, Run] = field(default_factory=dict)
    set_aside: Run = ()

    @property
    def newest(self) -> datetime | None:
        """Return when the newest statement was recorded."""
        return max((run[-1].recorded_at for run in (self.run, self.set_aside) if run), default=None)

    def extended(self, sound: Run, set_aside: Run) -> "Trail":
        """Return this trail with newer statements."""
        added: dict[str, list[LoggedStatement]] = {}
        for logged in sound:
            for subject in logged.envelope.statement.subjects:
                added.setdefault(subject.name, []).append(logged)
        by_subject = dict(self.by_subject)
        for name, more in added.items():
            by_subject[name] = (*by_subject.get(name, ()), *more)
        return Trail((*self.run, *sound), by_subject, (*self.set_aside, *set_aside))


NOTHING = Trail()


@dataclass(frozen=True, slots=True)
class Records:
    """What the log holds of one tenant, of the evidence types that somebody asked for."""

    tenant: Tenant
    demo: bool  # a demo tenant: demo statements count, and so do software TPMs
    trails: Mapping[PredicateName, Trail] = field(default_factory=dict)
    last: int = -1  # the newest entry seen

    @classmethod
    def of(cls, tenant: Tenant, statements: Iterable[LoggedStatement], *, demo: bool = False) -> "Records":
        """Arrange statements, given in any order and any number of times."""
        return cls(tenant, demo).extended(statements)

    def extended(self, statements: Iterable[LoggedStatement]) -> "Records":
        """Return these records with the newer ones among `statements`; those of other tenants are left out."""
        new = {s.entry: s for s in statements if s.entry > self.last}
        grouped: dict[PredicateName, tuple[list[LoggedStatement], list[LoggedStatement]]] = {}
        for entry in sorted(new):
            statement = new[entry].envelope.statement
            if statement.issuance.tenant == self.tenant:
                pair = grouped.setdefault(statement.predicate, ([], []))
                pair[self.flaw(new[entry]) is not None].append(new[entry])
        trails = dict(self.trails)
        for name, (sound, set_aside) in grouped.items():
            trails[name] = trails.get(name, NOTHING).extended(tuple(sound), tuple(set_aside))
        return replace(self, trails=trails, last=max(new, default=self.last))

    def trail(self, predicate: PredicateName) -> Trail:
        """Return the statements of one evidence type."""
        return self.trails.get(predicate, NOTHING)

    def flaw(self, logged: LoggedStatement) -> str | None:
        """Say why no rule may count a statement, or None."""
        issuance = logged.envelope.statement.issuance
        if logged.issuer is None or logged.standing is not Standing.TRUSTED:
            standing = Standing.UNKNOWN if logged.standing is Standing.TRUSTED else logged.standing
            if standing is Standing.UNPROVEN:
                return UNPROVEN
            return f"its key was {standing.value.replace('-', ' ')} when the log took it in"
        if issuance.demo and not self.demo:
            return "it is a demo statement in a tenant that is none"
        if issuance.strength is Strength.LAB_ATTESTED and not self.demo:
            return "it is attested by software only, which counts in demo tenants alone"
        if not logged.issuer.role.may_claim(issuance.strength):
            return f"it calls itself {issuance.strength.text}, and a key of the role {logged.issuer.role} signed it"
        return None

    def recorded(self, predicates: Sequence[PredicateName], below: int) -> datetime | None:
        """Return when the newest known statement with an entry below `below` was recorded."""
        times = []
        for name in predicates:
            for run in (self.trail(name).run, self.trail(name).set_aside):
                count = bisect_right(run, below - 1, key=lambda logged: logged.entry)
                times += [run[count - 1].recorded_at] if count else []
        return max(times, default=None)

"""Find the statements that count for one requirement at one time, and say why others do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Issuer, LoggedStatement
from ringfence.obligations.model import Requirement
from ringfence.obligations.records import Records, Run, Trail, digest_under, until
from ringfence.obligations.results import Ignored, Reason, Signer, Support

MAX_IGNORED = 20  # listed per requirement, newest first; the total is always told


@dataclass(frozen=True, slots=True)
class Sieve:
    """What counts for `requirement` among the statements that were recorded by `at`."""

    requirement: Requirement
    records: Records
    at: datetime

    @property
    def trail(self) -> Trail:
        """Return the statements of the evidence type asked for."""
        return self.records.trail(self.requirement.evidence)

    def newest(self, name: str | None = None, digest: Digest | None = None) -> LoggedStatement | None:
        """Return the newest statement that counts: of all, or about one subject, in one version."""
        return next(self._counted(name, digest), None)

    def newest_of(self, digest: Digest) -> LoggedStatement | None:
        """Return the newest statement that counts and has a subject with this digest, whatever its name."""
        about = (s for s in self._counted(None, None) if digest in {x.digest for x in s.envelope.statement.subjects})
        return next(about, None)

    def every(self) -> list[LoggedStatement]:
        """Return all statements that count, newest first."""
        return list(self._counted(None, None))

    def subjects(self) -> list[str]:
        """Return the names of all subjects that a statement names, sorted."""
        return sorted(name for name, run in self.trail.by_subject.items() if until(run, self.at))

    def ignored(self) -> tuple[tuple[Ignored, ...], int]:
        """Return the newest statements that count for nothing, and how many there are.

        A statement by an unsuitable role, or too weak, is told as long as nothing newer counts in its place.
        """
        aside = self.trail.set_aside
        total = until(aside, self.at)
        told = [self._ignored(aside[i]) for i in range(max(0, total - MAX_IGNORED), total)]
        passed_over = [self._ignored(logged) for logged in self._passed_over()]
        newest = sorted(told + passed_over[:MAX_IGNORED], reverse=True)[:MAX_IGNORED]
        return tuple(newest), total + len(passed_over)

    def shortfall(self, name: str | None, digest: Digest | None) -> tuple[Reason, str] | None:
        """Say why the newest statement about a subject does not count, where there is one."""
        aside = self.trail.set_aside
        candidates = [s for s in aside[: until(aside, self.at)] if name is None or digest_under(s, name) is not None]
        candidates += list(self._backwards(name))
        matching = (s for s in candidates if digest is None or name is None or digest_under(s, name) == digest)
        newest = max(matching, key=lambda s: s.entry, default=None)
        return self._why(newest) if newest else None

    def _counted(self, name: str | None, digest: Digest | None) -> Iterator[LoggedStatement]:
        for logged in self._backwards(name):
            same = digest is None or name is None or digest_under(logged, name) == digest
            if same and self._unsuitable(logged) is None:
                yield logged

    def _backwards(self, name: str | None) -> Iterator[LoggedStatement]:
        run: Run = self.trail.run if name is None else self.trail.by_subject.get(name, ())
        for index in range(until(run, self.at) - 1, -1, -1):
            yield run[index]

    def _passed_over(self) -> Iterator[LoggedStatement]:
        for logged in self._backwards(None):
            if self._unsuitable(logged) is None:
                return
            yield logged

    def _unsuitable(self, logged: LoggedStatement) -> tuple[Reason, str] | None:
        strength = logged.envelope.statement.issuance.strength
        if logged.issuer is None or logged.issuer.role not in self.requirement.issuers:
            role = logged.issuer.role.value if logged.issuer else "unknown"
            return Reason.UNTRUSTED, f"a key of the role {role} may not state it"
        return None if suffices(strength, self.requirement.looked_at) else too_weak(self.requirement, logged)

    def _why(self, logged: LoggedStatement) -> tuple[Reason, str]:
        flaw = self.records.flaw(logged)
        return (
            (Reason.UNTRUSTED, flaw) if flaw else self._unsuitable(logged) or (Reason.MISSING, "something newer counts")
        )

    def _ignored(self, logged: LoggedStatement) -> Ignored:
        statement = logged.envelope.statement
        names = statement.subjects[0].name
        why = self._why(logged)[1]
        return Ignored(logged.entry, statement.predicate, names, logged.recorded_at, statement.issuance.issuer, why)


def suffices(strength: Strength, asked: Strength) -> bool:
    """Return whether a strength is at least the one that is asked.

    What software attested does for `attested`: it comes this far in demo tenants only, and elsewhere counts for nothing
    (`Records.flaw`).
    """
    return strength >= asked or (asked is Strength.ATTESTED and strength is Strength.LAB_ATTESTED)


def too_weak(requirement: Requirement, logged: LoggedStatement) -> tuple[Reason, str] | None:
    """Say why a statement is too weak to show what is asked; nothing where it is not."""
    strength = logged.envelope.statement.issuance.strength
    if suffices(strength, requirement.strength):
        return None
    return Reason.TOO_WEAK, f"it is {strength.text}; {requirement.strength.text} is asked"


def signed(
    records: Records, predicate: PredicateName, at: datetime, subject: str | None = None
) -> Iterator[LoggedStatement]:
    """Yield what people signed by `at`, newest first; of one subject, or of all."""
    trail = records.trail(predicate)
    run = trail.run if subject is None else trail.by_subject.get(subject, ())
    for index in range(until(run, at) - 1, -1, -1):
        issuer, issuance = run[index].issuer, run[index].envelope.statement.issuance
        if issuer is not None and issuer.role is KeyRole.OPERATOR and issuance.strength >= Strength.DOCUMENTED:
            yield run[index]


def support(logged: LoggedStatement) -> Support:
    """Describe a statement that a result rests on."""
    statement = logged.envelope.statement
    issuance = statement.issuance
    return Support(
        entry=logged.entry,
        predicate=statement.predicate,
        subject=statement.subjects[0].name,
        recorded_at=logged.recorded_at,
        strength=issuance.strength,
        issuer=issuance.issuer,
        late=issuance.late,
        demo=issuance.demo,
    )


def signer(issuer: Issuer) -> Signer:
    """Describe a key that could have made a statement up."""
    return Signer(issuer.key, issuer.role, issuer.custody)

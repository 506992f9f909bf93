"""Record what operators state about backups of artifacts, and say which one is the newest."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.kernel.evidence import TRUSTED, Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.service import Ledger
from ringfence.workloads.backups import statements


@dataclass(frozen=True, slots=True)
class Backups:
    """The use cases of backups of artifacts."""

    log: Ledger
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]

    def all(self, tenant: Tenant) -> list[LoggedStatement]:
        """Return the statements that count, the newest last."""
        found = self.log.statements(tenant, (statements.MADE, statements.RESTORED))
        return [one for one in found if one.standing == TRUSTED and _is_ours(one)]

    def state(
        self, caller: Person, kind: PredicateName, envelope: Envelope, opening: Opening | None
    ) -> Acknowledgement:
        """Record that a backup was made, or what a drill came to; a drill is of a backup that was stated.

        Raises:
            MalformedInput: the statement is not as its predicate's page has it.
            Refused: nobody stated the backup that a drill names.
        """
        claims = statements.claims_of(envelope.statement, kind)
        if kind == statements.RESTORED:
            known = {one.envelope.statement.claims["index"] for one in self.all(caller.tenant)}
            if claims["index"] not in known:
                raise Refused("nobody stated the backup that this drill names")
        with self.publishable():
            done = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(done.envelope)


def _is_ours(one: LoggedStatement) -> bool:
    try:
        statements.claims_of(one.envelope.statement, one.envelope.statement.predicate)
    except (RingfenceError, KeyError):
        return False
    return True

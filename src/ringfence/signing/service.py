"""The keys of an installation as its people see them: who held which one, and what ends one."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope, key_id_of
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.issuers import REVOKED, parse_revocation
from ringfence.ledger.model import LoggedStatement, Vouched
from ringfence.signing.custody import CUSTODY, PREDICATES, Held, State, custody_history, parse_custody
from ringfence.signing.model import STATING, PublicKeys

Statements = Callable[[Tenant, Iterable[PredicateName] | None], list[LoggedStatement]]
UNSEEN = frozenset({KeyRole.LEDGER, KeyRole.GATEWAY})  # in use as long as they are in force


@dataclass(frozen=True, slots=True)
class Keys:
    """The use cases of signing keys."""

    root: bytes
    public: Callable[[], PublicKeys]  # of the signer that is in service
    statements: Statements
    from_root: Callable[[Envelope, Opening | None], Acknowledgement]
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]
    publication: Publication
    clock: Clock
    vouched: Callable[[datetime], Vouched | None] = lambda _: None  # the head that another party saw before a time

    def unvouched(self, tenant: Tenant, key: KeyId, since: datetime | None = None) -> int:
        """Return how many statements of a key count for nothing once it is compromised since then, or since now.

        Those are the ones of which nobody but the operator says that they are older.
        """
        end = since or self.clock.now()
        seen = self.vouched(end)
        own = [one for one in self.statements(tenant, None) if one.envelope.signer == key and one.recorded_at < end]
        return sum(seen is None or one.entry >= seen.size for one in own)

    def history(self, tenant: Tenant, at: datetime | None = None) -> tuple[Held, ...]:
        """Return who held which key when, as far as the log knows."""
        return custody_history(self.statements(tenant, PREDICATES), self.root, at or self.clock.now())

    def revoke(self, envelope: Envelope, *, by: Person) -> Acknowledgement:
        """Take in the root's revocation of a key.

        Raises:
            Refused: the root did not sign it, or the services sign with this key: that one is rotated.
            NotFound: no such key was enrolled.
        """
        statement = envelope.verify(self.root)
        if statement.predicate != REVOKED or statement.issuance.tenant != by.tenant:
            raise Refused("what is posted here is the root's revocation of a key, for the caller's own tenant")
        revocation = parse_revocation(statement)
        self._check_out_of_service(self._held(by.tenant, revocation.key))
        with self.transaction():
            done = self.from_root(envelope, None)
        return self.publication.published(done.envelope)

    def state_custody(self, envelope: Envelope, *, by: Person) -> Acknowledgement:
        """Take in an operator's statement on where a key lies now."""
        if envelope.statement.predicate != CUSTODY:
            raise Refused("what is posted here says where a key lies")
        key, _ = parse_custody(envelope.statement)
        self._held(by.tenant, key)
        with self.transaction():
            done = self.recorder.admit(envelope, None, by=by)
        return self.publication.published(done.envelope)

    def _held(self, tenant: Tenant, key: KeyId) -> Held:
        for held in self.history(tenant):
            if held.key == key:
                return held
        raise NotFound(f"no key {key[:16]}… was enrolled here; see `ringfence key list`")

    def _check_out_of_service(self, held: Held) -> None:
        if held.role is KeyRole.ROOT:
            raise Refused("nobody revokes the root: who trusts it has to be told another way, and a new home is made")
        if held.role in STATING:
            in_service = held.key == key_id_of(self.public().of(held.role))
        else:
            in_service = held.role in UNSEEN and held.state is State.IN_FORCE
        if in_service:
            raise Refused(
                f"the services sign with this {held.role} key: nothing they state from then on would count; replace "
                f"it with `ringfence key rotate {held.role}`, which takes --reason and --since too"
            )

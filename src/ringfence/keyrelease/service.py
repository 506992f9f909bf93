"""Challenge, judge, decide, record, and only then hand over: the use cases of key release.

Everything that fails, fails closed: what cannot be recorded is not done, and what was recorded and not handed over is
a lease that ends.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.attestation.model import Binding
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    Refused,
    RingfenceError,
    TooManyAttempts,
)
from ringfence.kernel.evidence import Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease import deciding, statements, wrapping
from ringfence.keyrelease.deciding import Handover, Policy
from ringfence.keyrelease.denying import Denying
from ringfence.keyrelease.gathering import Asked, Gathering
from ringfence.keyrelease.leasing import Leasing
from ringfence.keyrelease.model import (
    CHALLENGE_LIFE,
    MOST_LEASES,
    MOST_OPEN,
    Challenge,
    Dataset,
    Denial,
    Ending,
    Facts,
    Lease,
    LeaseId,
    LeaseState,
    Refusal,
    StandingRule,
    Target,
    Wish,
)
from ringfence.keyrelease.ports import Colleagues, Store, Wrapping
from ringfence.keyrelease.ruling import Ruling
from ringfence.keyrelease.wrapping import SECRET_SIZE, Terms

SHOWN_ENDED = 20


@dataclass(frozen=True, slots=True)
class Handed:
    """A key that was released, and its lease."""

    lease: Lease
    released: bytes


@dataclass(frozen=True, slots=True)
class KeyRelease:
    """The use cases of key release."""

    transaction: Callable[[], AbstractContextManager[None]]
    store: Store
    recorder: Recorder
    publication: Publication
    colleagues: Colleagues
    policy: Policy
    policy_digest: Digest
    clock: Clock
    random: Callable[[int], bytes]
    is_demo: Callable[[Tenant], bool]

    @property
    def gathering(self) -> Gathering:
        """Return what gathers the facts of a decision."""
        return Gathering(self.store, self.colleagues, self.ruling, self.clock, self.is_demo)

    @property
    def ruling(self) -> Ruling:
        """Return what takes rules, references and registers in."""
        return Ruling(
            self.transaction, self.store, self.recorder, self.publication, self.colleagues.appraiser, self.clock
        )

    @property
    def leasing(self) -> Leasing:
        """Return what ends leases."""
        return Leasing(
            self.transaction, self.store, self.recorder, self.colleagues.nodes, self.colleagues.attester, self.clock
        )

    @property
    def denying(self) -> Denying:
        """Return what records denials."""
        return Denying(self.transaction, self.store, self.recorder, self.policy_digest)

    # Ask

    def challenge(self, tenant: Tenant, wish: Wish, node_key: bytes) -> Challenge:
        """Draw a nonce for one node, its key, one workload and one dataset.

        Raises:
            TooManyAttempts: too many challenges of this node wait for their answers.
        """
        dataset = self.colleagues.datasets.named(tenant, wish.dataset)
        target = self.colleagues.nodes.named(tenant, wish.node)
        return self._challenge(tenant, dataset, target, wish, node_key)

    def _challenge(
        self, tenant: Tenant, dataset: Dataset, target: Target, wish: Wish, node_key: bytes, *, renewal: bool = False
    ) -> Challenge:
        wrapping.node_key(node_key)
        now = self.clock.now()
        drawn = Challenge(self.random(32), tenant, target.node, node_key, wish.workload, dataset.dataset, now)
        with self.transaction():
            if not renewal:  # of which there is one at a time for a lease, and which nobody may hold up
                self._check_room(tenant, target, now)
            self.store.put_challenge(drawn)
        return drawn

    def _check_room(self, tenant: Tenant, target: Target, now: datetime) -> None:
        if self.store.open_challenges(tenant, target.node, now - CHALLENGE_LIFE) >= MOST_OPEN:
            raise TooManyAttempts(f"{MOST_OPEN} challenges of this node wait for an answer; try again in a minute")
        if sum(lease.node == target.node for lease in self.store.leases(tenant)) >= MOST_LEASES:
            raise TooManyAttempts(f"{MOST_LEASES} leases of this node live; end one with `ringfence release end`")

    def release(self, caller: Person, wish: Wish) -> Lease:
        """Attest a node, release the key of a dataset to it, and hand it over.

        Raises:
            Refused: it was denied; that is recorded.
            TooManyAttempts: it was not even challenged.
            Unavailable: it could not be recorded, published or handed over; the node has no key.
        """
        dataset = self.colleagues.datasets.named(caller.tenant, wish.dataset)
        target = replace(self.colleagues.nodes.named(caller.tenant, wish.node), by=caller.id)
        try:
            asked = self._attested(caller, dataset, target, wish)
        except TooManyAttempts:
            raise
        except RingfenceError as error:  # it does not answer: that is evidence of nothing, and is recorded
            asked = Asked(caller, dataset, target, wish, None, None, (Denial.NO_EVIDENCE,), said=str(error))
        return self._deliver(target, self._answered(asked))

    def _attested(self, caller: Person | None, dataset: Dataset, target: Target, wish: Wish) -> Asked:
        tenant = dataset.tenant
        node_key = self.colleagues.attester.identify(target)
        if node_key is None:
            return Asked(caller, dataset, target, wish, None, None, (Denial.NO_EVIDENCE,))
        challenge = self._challenge(tenant, dataset, target, wish, node_key, renewal=caller is None)
        binding = _binding(challenge)
        evidence = self.colleagues.attester.evidence(target, binding)
        return self._consumed(Asked(caller, dataset, target, wish, binding, evidence), challenge.nonce)

    def answer(self, caller: Person, wish: Wish, nonce: bytes, evidence: bytes) -> Handed:
        """Release a key to a node that answered a challenge itself; the caller hands it over.

        Raises:
            Refused: it was denied; that is recorded.
        """
        dataset = self.colleagues.datasets.named(caller.tenant, wish.dataset)
        target = self.colleagues.nodes.named(caller.tenant, wish.node)
        asked = self._consumed(Asked(caller, dataset, target, wish, None, evidence), nonce)
        handed = self._answered(asked)
        with self.transaction():
            self._current(handed.lease)  # raises where it was ended meanwhile: then nothing is handed over
            lease = replace(handed.lease, state=LeaseState.LIVE)
            self.store.put_lease(lease)
        return replace(handed, lease=lease)

    def _consumed(self, asked: Asked, nonce: bytes) -> Asked:
        """Use up the challenge before anything is judged: whatever happens from here on, it is not used again."""
        now = self.clock.now()
        with self.transaction():
            known = self.store.challenge(asked.dataset.tenant, nonce)
            fits = known is not None and (known.node, known.dataset, known.workload) == (
                asked.target.node,
                asked.dataset.dataset,
                asked.wish.workload,
            )
            fresh = known is not None and self.store.use(known, now) and known.open_at(now)
        if known is None or not fits or not fresh:
            return replace(asked, binding=None, barred=(Denial.CHALLENGE,))
        return replace(asked, binding=_binding(known))

    # Decide, record

    def _answered(self, asked: Asked) -> Handed:
        tenant = asked.dataset.tenant
        rule = self.colleagues.rules.newest(tenant, asked.dataset.dataset)
        judgement, barred = self.gathering.judged(asked, rule)
        nonce = asked.binding.nonce if asked.binding else b""
        secret, credential, denied = self.random(SECRET_SIZE), None, None
        if judgement.acceptable and asked.evidence is not None:
            try:
                credential = self.colleagues.appraiser.credential(asked.evidence, secret, self.random)
            except MalformedInput:
                barred = (*barred, Denial.MALFORMED)
        with self.transaction():
            self.store.take_turn()  # else two nodes that show one device could both find that nobody else has
            facts = self.gathering.facts(asked, rule, judgement, barred)
            because = deciding.refusal(facts, self.policy)
            if self.colleagues.rules.newest(tenant, asked.dataset.dataset) != rule:
                raise Conflict("the rule of this dataset was replaced meanwhile; ask again")
            if because or facts.rule is None or asked.binding is None:
                denied, lease = self.denying.record(facts, because, nonce), None
            else:
                lease = self._grant(asked, facts, facts.rule.rule.minutes, credential, nonce)
        if lease is None or asked.binding is None:
            if denied is not None:
                with suppress(RingfenceError):  # it is recorded; that it is published as well can wait
                    self.publication.published(denied)
            raise Refused(_told(because, asked.said))
        return self._wrapped(asked, asked.binding, lease, credential, secret)

    def _grant(self, asked: Asked, facts: Facts, minutes: int, credential: bytes | None, nonce: bytes) -> Lease:
        current = self._current(asked.lease)
        fresh = LeaseId("lease-" + self.random(6).hex())
        node_key = Digest.of(asked.binding.node_key if asked.binding else b"")
        handover = Handover(node_key, Digest.of(credential) if credential else None)
        decision = deciding.release(facts, minutes, current, fresh, handover, self.policy_digest)
        self.recorder.record(statements.appraised(facts, nonce), tenant=facts.tenant)
        acknowledgement = self.recorder.record(decision.draft, tenant=facts.tenant)
        lease = replace(decision.lease, statement=acknowledgement.envelope)
        self.store.put_lease(lease)
        for name in deciding.device_names(lease.tenant, facts.judgement.anchor, lease.device):
            self.store.put_device(name, lease.node, facts.at)
        return lease

    def _current(self, lease: Lease | None) -> Lease | None:
        if lease is None:
            return None
        current = self.store.lease(lease.tenant, lease.id)
        if current is None or current.state is LeaseState.ENDED:
            raise Conflict(f"{lease.id} has ended; a lease that ended is not renewed")
        return current

    # Hand over

    def _wrapped(self, asked: Asked, binding: Binding, lease: Lease, credential: bytes | None, secret: bytes) -> Handed:
        """Wait until the release is published, then have the broker wrap the key."""
        if lease.statement is None:
            raise InternalError("a lease was granted without a statement")
        terms = Terms(lease.dataset, lease.epoch, lease.id, lease.expires_at, lease.statement)
        kept = secret if credential is not None else None
        try:
            self.publication.published(lease.statement)
            wanted = Wrapping(lease.tenant, asked.dataset, terms, binding.node_key, credential, kept)
            sealed = self.colleagues.broker.wrap(wanted)
        except RingfenceError:
            if asked.lease is None:
                self.leasing.finish(lease, Ending.NOT_DELIVERED, dropped=False)
            else:  # the node has the key from before
                self.leasing.end(lease, Ending.NOT_DELIVERED)
            raise
        return Handed(lease, wrapping.printed(wrapping.Released(terms, sealed, credential)))

    def _deliver(self, target: Target, handed: Handed) -> Lease:
        self._current(handed.lease)
        try:
            self.colleagues.attester.deliver(target, handed.released)
        except RingfenceError:
            self.leasing.end(handed.lease, Ending.NOT_DELIVERED)
            raise
        lease = replace(handed.lease, state=LeaseState.LIVE)
        try:
            with self.transaction():
                self._current(lease)
                self.store.put_lease(lease)
        except Conflict:  # it was ended while the key was under way: whoever ended it may have found no key there
            with suppress(RingfenceError):
                self.colleagues.attester.revoke(target, lease.id)
            raise
        return lease

    # Renew and end

    def renew(self, lease: Lease, *, replaced: bool = False) -> Lease:
        """Attest the node of a lease anew and extend it; what fails is raised, and a denial ends the lease.

        Nobody here attests a node that answers by itself: its lease stays as it is, and it asks for another one. Where
        the rule was `replaced` since, that is a denial as well.
        """
        dataset = self.colleagues.datasets.named(lease.tenant, lease.name)
        target = replace(self.colleagues.nodes.named(lease.tenant, lease.node_name), by=lease.by)
        if target.node != lease.node:
            raise NotFound(f"the node of {lease.id} is gone; another one has its name")
        asked = self._attested(None, dataset, target, lease.wish)
        if asked.barred == (Denial.NO_EVIDENCE,) and not replaced:
            return lease
        asked = replace(asked, lease=lease, on_behalf=lease.by)
        try:
            handed = self._answered(asked)
        except TooManyAttempts:
            raise
        except Refused:
            self.leasing.end(lease, Ending.DENIED)
            raise
        return self._deliver(target, handed)

    def withdraw(self, lease: Lease, rule: StandingRule | None) -> bool:
        """End a lease that has lost its ground, with a denial on record; return whether it had."""
        dataset = self.colleagues.datasets.named(lease.tenant, lease.name)
        target = replace(self.colleagues.nodes.named(lease.tenant, lease.node_name), by=lease.by)
        may = self.colleagues.requesters.may(lease.tenant, lease.by)
        lost = deciding.grounds_lost(lease, dataset, target, rule, requester_allowed=may)
        if lost:
            asked = Asked(None, dataset, target, lease.wish, None, None, lost, lease, on_behalf=lease.by)
            with suppress(Refused):
                self._answered(asked)
            self.leasing.end(lease, Ending.DENIED)
        return bool(lost)

    # Read

    def leases(self, tenant: Tenant) -> list[Lease]:
        """Return the leases that live, and the newest that have ended."""
        return self.store.leases(tenant, ended=SHOWN_ENDED)

    def refusals(self, tenant: Tenant) -> list[Refusal]:
        """Return the newest denials that were recorded."""
        return self.store.refusals(tenant)


def _told(because: tuple[str, ...], said: str) -> str:
    reasons = "; ".join(map(statements.sentence, because)) + (f" ({statements.short(said)})" if said else "")
    return f"the key is not released: {reasons}; this is recorded"


def _binding(challenge: Challenge) -> Binding:
    return Binding(challenge.nonce, challenge.node_key, challenge.workload, challenge.dataset)

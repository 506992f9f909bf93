"""Who may call, and what answers: keys and deployments, and the gateway that is told of both at once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol as Port

from ringfence.gateway import address as addresses
from ringfence.gateway import deployments, keys, statements
from ringfence.gateway.deployments import Attach, Ran, Seen
from ringfence.gateway.keys import KeyState, Wanted
from ringfence.gateway.model import (
    ApiKey,
    ApiKeyId,
    Basis,
    Deployment,
    DeploymentName,
    Protocol,
    ServedModel,
    Snapshot,
    Upstream,
    api_key_id,
)
from ringfence.gateway.ports import Credentials, Engines, Mark
from ringfence.gateway.publishing import Publishing, apply
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.kernel.evidence import Acknowledgement, EmergencyRecorder, Recorder
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft

MAX_KEYS = 10_000  # of one tenant; every one of them is in each snapshot


class Randomness(Port):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` random bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key: its text is known to whoever gets this, and to nobody else."""

    key: ApiKey
    secret: str = field(repr=False)
    statement: Acknowledgement


@dataclass(frozen=True, slots=True)
class Gateway:
    """The use cases of the gateway's control side."""

    publishing: Publishing
    credentials: Credentials
    engines: Engines
    recorder: Recorder
    emergency: EmergencyRecorder
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Randomness
    # Raises `Refused`, once that is recorded, where no engine may be attached whose bytes nobody here sees.
    admit_attached: Callable[[Person, DeploymentName, Digest | None], None] = lambda *_: None

    # Keys

    def issue_key(self, person: Person, wanted: Wanted) -> Issued:
        """Give a caller a key; its text is in the answer and nowhere else."""
        key, secret = keys.issued(person.tenant, wanted, random=self.random(38), at=self.clock.now())
        with self.transaction():
            held = self.publishing.keys.all(person.tenant)
            if any(one.id == key.id for one in held):
                raise Conflict("the key's id is taken; try again")
            if len(held) >= MAX_KEYS:
                raise Conflict(f"this tenant has {MAX_KEYS} keys, and no more can be issued")
            self.publishing.keys.put(key)
            self.publishing.check_room()
            statement = self.recorder.record(statements.key_issued(key, person.id), tenant=person.tenant)
        self.publishing.tried()
        return Issued(key, secret, statement)

    def keys(self, tenant: Tenant) -> Sequence[ApiKey]:
        """Return the keys of a tenant, those that ended included."""
        return self.publishing.keys.all(tenant)

    def key(self, tenant: Tenant, key: ApiKeyId) -> ApiKey:
        """Return a key, from the last snapshot where the database is away; raise `NotFound`."""
        try:
            found = self.publishing.keys.get(tenant, key)
        except Unavailable:
            last = self.publishing.file.last()
            held = last.keys if last else ()
            found = next((one for one in held if (one.tenant, one.id) == (tenant, key)), None)
        if found is None:
            raise NotFound(f"no key {key} was issued here; see `ringfence key callers`")
        return found

    def revoke_key(self, person: Person, key: ApiKeyId) -> Acknowledgement | None:
        """End a key for ever, now; None where it had ended."""
        mark = Mark(person.tenant, key, KeyState.REVOKED)

        def draft(known: ApiKey, *, written: bool) -> Draft:
            return statements.key_revoked(known, person.id, written=written)

        return self._contain(mark, draft, "")

    def block_key(
        self, tenant: Tenant, key: str, *, because: str, finding: str = "", by: PersonId | None = None
    ) -> Acknowledgement | None:
        """Refuse a key until a person unblocks it, now; None where it was blocked or had ended.

        Raises:
            NotFound: no such key of the tenant.
        """

        def draft(known: ApiKey, *, written: bool) -> Draft:
            return statements.key_blocked(known, finding=finding, by=by, written=written)

        return self._contain(Mark(tenant, api_key_id(key), KeyState.BLOCKED, finding), draft, because)

    def unblock_key(self, person: Person, key: ApiKeyId) -> Acknowledgement:
        """Let a blocked key in again; first the gateway is told of all that was cut off, so that no mark comes back."""
        self.settle()
        self.publish()
        with self.transaction():
            known = self.key(person.tenant, key)
            self.publishing.keys.put(keys.unblocked(known, self.clock.now()))
            statement = self.recorder.record(statements.key_unblocked(known, person.id), tenant=person.tenant)
        self.publishing.tried()
        return statement

    def _contain(self, mark: Mark, draft: "Stating", because: str) -> Acknowledgement | None:
        """Act first: mark, tell the gateway, journal; the row follows as soon as the database can take it."""
        known = self.key(mark.tenant, mark.key)
        if apply(known, mark, self.clock.now()) == known:
            return None
        self.publishing.marks.add(mark)
        written = self.publishing.tried()
        statement = self.emergency.record(draft(known, written=written), tenant=mark.tenant)
        with suppress(Unavailable):
            self._settle(mark, because)
        return statement

    def settle(self) -> None:
        """Write into the rows what was cut off while the database was away."""
        for mark in self.publishing.marks.all():
            self._settle(mark, "")

    def _settle(self, mark: Mark, because: str) -> None:
        with self.transaction():
            known = self.publishing.keys.get(mark.tenant, mark.key)
            if known is not None:
                self.publishing.keys.put(apply(known, mark, self.clock.now(), because))

    # Deployments

    def deployments(self, tenant: Tenant) -> Sequence[Deployment]:
        """Return the deployments of a tenant, those that are over included."""
        return self.publishing.deployments.all(tenant)

    def deployment(self, tenant: Tenant, name: DeploymentName) -> Deployment:
        """Return a deployment; raise `NotFound`."""
        found = self.publishing.deployments.get(tenant, name)
        if found is None:
            raise NotFound(f"no deployment is called {name}; see `ringfence deploy list`")
        return found

    def attach(self, person: Person, wanted: Attach) -> tuple[Deployment, Seen]:
        """Reach an engine that runs already by a name; ask it once whether it is there.

        Raises:
            Unavailable: nobody answers at the address as such an engine does.
            Conflict: the name is taken.
        """
        address = addresses.parse(wanted.url, wanted.protocol)
        self._check_room(person.tenant, wanted.name)
        self.admit_attached(person, wanted.name, wanted.model.digest if wanted.model else None)
        seen = self.engines.ask(address, wanted.protocol, wanted.credential)
        described = wanted.model or ServedModel("", None, Basis.DECLARED)
        model = replace(described, name=deployments.chosen_model(described.name, seen))
        credential = self.credentials.keep(wanted.credential) if wanted.credential else ""
        try:
            made = self._attached(person, wanted, Upstream(address.url, credential=credential), model, seen)
        except BaseException:
            self._forget(credential)
            raise
        self.publishing.tried()
        return made, seen

    def _attached(
        self, person: Person, wanted: Attach, upstream: Upstream, model: ServedModel, seen: Seen
    ) -> Deployment:
        loopback = addresses.parse(upstream.url, wanted.protocol).loopback
        with self.transaction():
            made = deployments.attached(
                person.tenant,
                wanted.name,
                upstream,
                model,
                protocol=wanted.protocol,
                about=self._about(person.tenant, wanted.name),
                at=self.clock.now(),
                before=self.publishing.deployments.get(person.tenant, wanted.name),
            )
            self.publishing.deployments.put(made)
            self.publishing.check_room()
            draft = statements.attached(made, person.id, seen, loopback=loopback)
            self.recorder.record(draft, tenant=person.tenant)
        return made

    def starting(
        self, tenant: Tenant, name: DeploymentName, *, protocol: Protocol, node: str, by: PersonId | None = None
    ) -> Deployment:
        """Say that an engine is about to be started on a node; raise `Conflict` where the name is taken."""
        with self.transaction():
            self._check_room(tenant, name)
            made = deployments.requested(
                tenant,
                name,
                protocol=protocol,
                node=node,
                about=self._about(tenant, name),
                at=self.clock.now(),
                before=self.publishing.deployments.get(tenant, name),
            )
            self.publishing.deployments.put(made)
            self.publishing.check_room()
            self.recorder.record(statements.requested(made, by), tenant=tenant)
        self.publishing.tried()
        return made

    def serving(
        self, tenant: Tenant, name: DeploymentName, *, upstream: Upstream, model: ServedModel, ran: Ran | None = None
    ) -> Deployment:
        """Say that the engine has loaded its model and answers; callers reach it from now on."""

        def served(known: Deployment) -> tuple[Deployment, Draft]:
            now = deployments.serving(known, upstream, model, ran.node if ran else "")
            return now, statements.started(now, self.clock.now(), ran)

        return self._change(tenant, name, served)

    def failed(self, tenant: Tenant, name: DeploymentName, *, because: str) -> Deployment:
        """Say that an engine did not come, or is gone; one that is over stays as it is."""

        def lost(known: Deployment) -> tuple[Deployment, Draft | None]:
            now = deployments.failed(known, because)
            return now, None if now == known else statements.failed(now, known.state)

        return self._change(tenant, name, lost)

    def stop(self, person: Person, name: DeploymentName) -> Deployment:
        """End a deployment; callers are refused from now on. The engine itself is its owner's to end."""
        before = self.deployment(person.tenant, name)

        def ended(known: Deployment) -> tuple[Deployment, Draft]:
            now = deployments.stopped(known)
            return now, statements.stopped(now, known.state, person.id, self.clock.now())

        done = self._change(person.tenant, name, ended)
        self._forget(before.upstream.credential)
        return done

    def _change(
        self, tenant: Tenant, name: DeploymentName, decide: Callable[[Deployment], tuple[Deployment, Draft | None]]
    ) -> Deployment:
        with self.transaction():
            now, draft = decide(self.deployment(tenant, name))
            self.publishing.deployments.put(now)
            if draft is not None:
                self.recorder.record(draft, tenant=tenant)
        self.publishing.tried()
        return now

    def publish(self) -> Snapshot:
        """Tell the gateway what holds now."""
        return self.publishing.publish()

    def _about(self, tenant: Tenant, name: DeploymentName) -> Digest:
        return deployments.subject(tenant, name, self.random(32))

    def _check_room(self, tenant: Tenant, name: DeploymentName) -> None:
        held = [one for one in self.deployments(tenant) if one.state not in deployments.OVER]
        if any(one.name == name for one in held):
            raise Conflict(f"a deployment is called {name} already; stop it first, or choose another name")
        if len(held) >= deployments.MAX_DEPLOYMENTS:
            raise MalformedInput(f"this tenant has {deployments.MAX_DEPLOYMENTS} deployments; stop some first")

    def _forget(self, credential: str) -> None:
        if credential:
            with suppress(Unavailable):
                self.credentials.forget(credential)


class Stating(Port):
    """Make the draft of an act of containment, knowing whether the gateway was told."""

    def __call__(self, known: ApiKey, *, written: bool) -> Draft: ...

"""Tell the gateway which keys and routes there are: every few seconds, and at each change."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringfence.gateway import keys, snapshot
from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import ApiKey, Deployment, DeploymentState, Snapshot
from ringfence.gateway.ports import DeploymentTable, KeyTable, Mark, Marks, SnapshotFile
from ringfence.kernel.clock import Clock, to_millis
from ringfence.kernel.errors import Unavailable

BLOCKED = "blocked"
REMEMBERED = timedelta(days=30)  # so long the gateway tells an expired key from one that never was


@dataclass(slots=True)
class Confirmation:
    """How it went the last time that the gateway was told of keys and routes."""

    tried_at: datetime | None = None
    failed_since: datetime | None = None
    because: str = ""

    def note(self, at: datetime, because: str = "") -> None:
        """Keep how it went; `because` says why nothing was confirmed."""
        self.tried_at, self.because = at, because
        self.failed_since = (self.failed_since or at) if because else None


@dataclass(frozen=True, slots=True)
class Publishing:
    """Rows and marks in, one signed snapshot out."""

    keys: KeyTable
    deployments: DeploymentTable
    file: SnapshotFile
    marks: Marks
    clock: Clock
    confirm: Callable[[], None] = lambda: None  # raises `Unavailable` where the rows are older than the log
    guard: bool = True
    life: Callable[[], timedelta] = lambda: snapshot.LIFE  # raises `Unavailable` where the home does not say it well
    most: int = snapshot.MAX_POLICY  # bytes
    confirmation: Confirmation = field(default_factory=Confirmation)

    def publish(self) -> Snapshot:
        """Write a snapshot of what holds now.

        Where the database cannot be read, or is older than the log, or what it holds does not fit, the last snapshot
        is written again with the keys taken out that were cut off since; it gets no new life, since nobody confirmed
        the rest.

        Raises:
            Unavailable: it cannot be written, or neither the database nor a snapshot can be read.
        """
        try:
            found, because = self._publish()
        except Unavailable as error:
            self.confirmation.note(self.clock.now(), str(error))
            raise
        self.confirmation.note(self.clock.now(), because)
        return found

    def due(self) -> bool:
        """Tell whether keys and routes have to be confirmed again: three tries may fail before they expire."""
        tried, now = self.confirmation.tried_at, self.clock.now()
        try:
            life = self.life()
        except Unavailable:  # publishing says so
            life = snapshot.LIFE
        return tried is None or not tried <= now < tried + life / 4

    def check_room(self) -> None:
        """Return where all that the tables hold fits into a snapshot; asked while something is added.

        Raises:
            Unavailable: it does not fit.
        """
        self._current(None, self.keys.all(), (), most=self.most - self.most // 32)  # states change and grow a little

    def _publish(self) -> tuple[Snapshot, str]:
        with self.file.exclusive():
            last, marks, now = self.file.last(), self.marks.all(), self.clock.now()
            settled: list[Mark] = []
            because = ""
            try:
                self.confirm()  # a backup that was put back must not bring keys back that were revoked since
                held = self.keys.all()
                found = self._current(last, held, marks, most=self.most)
                settled = [mark for mark in marks if _stands_in(held, mark, now)]
            except Unavailable as error:
                if last is None:
                    raise
                because = str(error)
                found = snapshot.changed(last, told(marked(last.keys, marks, now)))
            self.file.write(found)
            for mark in settled:  # not before: without the database the last snapshot is all that there is
                self.marks.drop(mark)
            return found, because

    def tried(self) -> bool:
        """Publish; return whether that was possible. What was not is tried again by the loop of `up`."""
        try:
            self.publish()
        except Unavailable:
            return False
        return True

    def _current(self, last: Snapshot | None, held: Sequence[ApiKey], marks: Sequence[Mark], *, most: int) -> Snapshot:
        now = self.clock.now()
        version = max(last.version + 1 if last else 1, to_millis(now))
        wanted = [key for key in held if key.expires_at + REMEMBERED > now]
        return snapshot.made(
            version=version,
            at=now,
            keys=told(marked(wanted, marks, now)),
            deployments=routed(self.deployments.all()),
            guard=self.guard,
            life=self.life(),
            most=most,
        )


def marked(held: Iterable[ApiKey], marks: Iterable[Mark], at: datetime) -> tuple[ApiKey, ...]:
    """Return the keys as they are with what was cut off beside the database."""
    by_key: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        by_key.setdefault((mark.tenant, mark.key), []).append(mark)
    return tuple(_with(key, by_key.get((key.tenant, key.id), ()), at) for key in held)


def _stands_in(held: Iterable[ApiKey], mark: Mark, at: datetime) -> bool:
    """Tell whether the rows say what a mark says; one of a key that is not there has nothing to say."""
    about = (key for key in held if (key.tenant, key.id) == (mark.tenant, mark.key))
    return all(apply(key, mark, at) == key for key in about)


def _with(key: ApiKey, marks: Iterable[Mark], at: datetime) -> ApiKey:
    for mark in marks:
        key = apply(key, mark, at)
    return key


def apply(key: ApiKey, mark: Mark, at: datetime, because: str = "") -> ApiKey:
    """Return a key after it was ended or blocked."""
    if mark.state is KeyState.REVOKED:
        return keys.revoked(key, at)
    return keys.blocked(key, because or (f"finding {mark.finding}" if mark.finding else "by a person"))


def told(held: Iterable[ApiKey]) -> tuple[ApiKey, ...]:
    """Return the keys as the gateway needs them: whose they are and why one is blocked is not for its folder."""
    return tuple(replace(key, name="", blocked=BLOCKED if key.blocked else "") for key in held)


def routed(held: Iterable[Deployment]) -> tuple[Deployment, ...]:
    """Return the deployments that callers are told about; why one failed is not theirs to read."""
    return tuple(replace(one, because="") for one in held if one.state is not DeploymentState.STOPPED)

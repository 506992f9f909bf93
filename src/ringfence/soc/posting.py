"""Get alerts to people: a box that survives, several tries, and a statement about each outcome.

Nothing here delays a cut: alerts are put into the box after it, and a loop of its own sends them.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.evidence import Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.soc import statements
from ringfence.soc.ports import Alert, Delivery, Mailbox, Notifier, Notifiers, Transaction

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
MAX_ATTEMPTS = 40  # some eight hours
MAX_URGENT = 1000
SENT, GIVEN_UP = "sent", "given-up"
SETTLED = "settled"  # given up, and a person has seen to it


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: twice as long each time."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Posting:
    """The box of alerts and its loop."""

    mailbox: Mailbox
    notifiers: Notifiers
    recorder: Recorder
    transaction: Transaction
    clock: Clock
    urgent: list[Delivery] = field(default_factory=list)
    handed: set[tuple[str, str]] = field(default_factory=set)  # sent while the database was away
    owed: list[Callable[[], None]] = field(default_factory=list)  # statements that it could not take

    def add(self, alert: Alert) -> None:
        """Put an alert into the box, for every channel, in the caller's transaction."""
        for delivery in self._deliveries(alert):
            if (alert.identifier, delivery.channel) not in self.handed:
                self.mailbox.add(delivery)

    def urgently(self, alert: Alert) -> None:
        """Keep an alert in memory, since the database cannot take it."""
        if len(self.urgent) < MAX_URGENT:
            deliveries = self._deliveries(alert)
            self.handed.update((alert.identifier, delivery.channel) for delivery in deliveries)
            self.urgent.extend(deliveries)

    def _deliveries(self, alert: Alert) -> list[Delivery]:
        now = self.clock.now()
        try:
            return [Delivery(alert, notifier.channel, now, 0, now) for notifier in self.notifiers.of(alert.tenant)]
        except RingfenceError:  # who broke the list of channels must not stop what the alert is about
            return [Delivery(alert, "unconfigured", now, 0, now)]

    def deliver(self) -> int:
        """Send what is due; return how many deliveries were tried."""
        now = self.clock.now()
        due = [delivery for delivery in list(self.urgent) if delivery.next_at <= now]
        for delivery in due:
            self.urgent.remove(delivery)
            self._send(delivery, kept=False)
        self._pay()
        waiting: list[Delivery] = []
        with suppress(Unavailable):
            waiting = self.mailbox.due(now)
        for delivery in waiting:
            self._send(delivery, kept=True)
        return len(due) + len(waiting)

    def _send(self, delivery: Delivery, *, kept: bool) -> None:
        tried = replace(delivery, attempts=delivery.attempts + 1)
        try:
            self._channel(delivery.alert.tenant, delivery.channel).send(delivery.alert)
        except RingfenceError as error:
            self._failed(tried, str(error), kept=kept)
            return
        self._owe(lambda: self._close(tried, SENT, statements.alert_sent(tried, self.clock.now())))

    def _channel(self, tenant: Tenant, name: str) -> Notifier:
        for notifier in self.notifiers.of(tenant):
            if notifier.channel == name:
                return notifier
        raise Unavailable(f"the channel {name} is not configured any more")

    def _failed(self, tried: Delivery, error: str, *, kept: bool) -> None:
        if tried.attempts >= MAX_ATTEMPTS:
            draft = statements.alert_failed(tried, error, final=True)
            self._owe(lambda: self._close(tried, GIVEN_UP, draft))
            return
        later = replace(tried, next_at=self.clock.now() + pause(tried.attempts))
        first = statements.alert_failed(tried, error, final=False) if tried.attempts == 1 else None
        if kept:
            self._owe(lambda: self._later(later, first))
        else:
            self.urgent.append(later)

    def _close(self, delivery: Delivery, state: str, draft: Draft) -> None:
        with self.transaction():
            self.mailbox.add(delivery)
            self.mailbox.close(delivery, state)
            self.recorder.record(draft, tenant=delivery.alert.tenant)
        self.handed.discard((delivery.alert.identifier, delivery.channel))  # the box knows it by now

    def _later(self, delivery: Delivery, draft: Draft | None) -> None:
        with self.transaction():
            self.mailbox.retry(delivery)
            if draft is not None:
                self.recorder.record(draft, tenant=delivery.alert.tenant)

    def _owe(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Unavailable:
            self.owed.append(write)

    def _pay(self) -> None:
        waiting, self.owed[:] = list(self.owed), []
        for write in waiting:
            self._owe(write)

    def overdue(self, at: datetime) -> bool:
        """Return whether anything waits in memory for the database."""
        return bool(self.owed) or any(delivery.next_at <= at for delivery in self.urgent)

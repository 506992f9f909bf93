"""Findings, rulings, settings, alerts and progress in the database; and writes that do not wait for it for ever."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from ringfence.kernel import digest
from ringfence.kernel.clock import to_millis
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.soc import policy as settings
from ringfence.soc import rows
from ringfence.soc.action import ActionKind, Past, State
from ringfence.soc.policy import Policy
from ringfence.soc.ports import MAX_ATTEMPTS, Delivery, Raised, Ruled, Tail
from ringfence.storage.database import METADATA, Database

PATIENCE = 0.25  # seconds that a cut waits for its rows

FINDINGS = Table(
    "soc_findings",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("reference", String(32), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("authenticated", Boolean, nullable=False),
    Column("noted", Boolean, nullable=False),
    Column("statement", LargeBinary(32)),
    Column("facts", Text, nullable=False),  # the rest of the finding and its node, JSON
)
RULINGS = Table(
    "soc_rulings",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("finding", String(32), primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("target", String(256), nullable=False),
    Column("ruling", String(16), nullable=False),
    Column("reason", String(48), nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("state", String(24), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("isolations", Integer, nullable=False),
    Column("cap", Integer, nullable=False),
    Column("line_at", BigInteger, nullable=False),
    Column("found_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("acted_at", BigInteger),
    Column("statement", LargeBinary(32)),
)
SETTINGS = Table(
    "soc_settings",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("person", String(32), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
ALERTS = Table(
    "soc_alerts",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("alert", String(32), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("about", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
)
TAILS = Table(
    "soc_tails",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("node", String(64), primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("inode", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)
DETECTORS = Table(
    "soc_detectors",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("state", Text, nullable=False),
)
Index("soc_findings_by_key", FINDINGS.c.tenant, FINDINGS.c.key, unique=True)
Index("soc_findings_by_time", FINDINGS.c.tenant, FINDINGS.c.last_seen)
Index("soc_rulings_by_time", RULINGS.c.tenant, RULINGS.c.decided_at)
Index("soc_rulings_unfinished", RULINGS.c.state, RULINGS.c.attempts)
Index("soc_alerts_due", ALERTS.c.state, ALERTS.c.next_at)


@dataclass(frozen=True, slots=True)
class FindingTable:
    """`Findings` in the database."""

    database: Database

    def by_key(self, tenant: Tenant, key: str) -> Raised | None:
        """Return a finding by the detector's identifier."""
        return next(iter(self._raised(FINDINGS.c.tenant == tenant, FINDINGS.c.key == key)), None)

    def by_reference(self, tenant: Tenant, reference: str) -> Raised | None:
        """Return a finding."""
        return next(iter(self._raised(FINDINGS.c.tenant == tenant, FINDINGS.c.reference == reference)), None)

    def put(self, raised: Raised) -> None:
        """Write a finding, or write it again."""
        values = rows.finding_row(raised)
        mine = (FINDINGS.c.tenant == raised.tenant, FINDINGS.c.reference == raised.reference)
        connection = self.database.connection()
        if connection.execute(update(FINDINGS).where(*mine).values(**values)).rowcount == 0:
            connection.execute(insert(FINDINGS), [values])

    def page(self, tenant: Tenant, *, limit: int, rule: str = "") -> list[Raised]:
        """Return findings, the one seen last first."""
        wanted = [FINDINGS.c.tenant == tenant, *([FINDINGS.c.rule == rule] if rule else [])]
        return self._raised(*wanted, limit=limit)

    def count(self, tenant: Tenant, *, rule: str = "") -> int:
        """Return how many findings there are."""
        wanted = [FINDINGS.c.tenant == tenant, *([FINDINGS.c.rule == rule] if rule else [])]
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(FINDINGS).where(*wanted)).scalar() or 0)

    def unnoted(self) -> list[Raised]:
        """Return the findings that the observers have not heard of."""
        return self._raised(FINDINGS.c.noted.is_(False), limit=500)

    def rule_on(self, tenant: Tenant, ruled: Sequence[Ruled]) -> None:
        """Write rulings; raise `Conflict` where one of them exists."""
        with self.database.attempting("this was ruled on already") as connection:
            connection.execute(insert(RULINGS), [rows.ruling_row(tenant, one) for one in ruled])

    def settle(self, tenant: Tenant, ruled: Ruled) -> None:
        """Write the state of a ruling; what a person settled stays so."""
        settled = State.SETTLED.value
        state = case((RULINGS.c.state == settled, settled), else_=ruled.state.value)
        mine = (RULINGS.c.tenant == tenant, RULINGS.c.finding == ruled.finding, RULINGS.c.turn == ruled.turn)
        change = update(RULINGS).where(*mine, RULINGS.c.action == ruled.act.kind.value)
        self.database.connection().execute(change.values(**rows.ruling_row(tenant, ruled) | {"state": state}))

    def rulings(self, tenant: Tenant, reference: str) -> list[Ruled]:
        """Return what was ruled about a finding, turn by turn."""
        query = select(RULINGS).where(RULINGS.c.tenant == tenant, RULINGS.c.finding == reference)
        with self.database.reading() as connection:
            found = connection.execute(query.order_by(RULINGS.c.turn)).all()
        order = list(ActionKind)
        return sorted(map(rows.ruling, found), key=lambda one: (one.turn, order.index(one.act.kind)))

    def unfinished(self) -> list[tuple[Tenant, Ruled]]:
        """Return wanted acts, and failed ones that are worth another attempt."""
        failed = (RULINGS.c.state == State.FAILED.value) & (RULINGS.c.attempts < MAX_ATTEMPTS)
        query = select(RULINGS).where((RULINGS.c.state == State.DESIRED.value) | failed).limit(500)
        with self.database.reading() as connection:
            return [(Tenant(row.tenant), rows.ruling(row)) for row in connection.execute(query)]

    def waiting(self, tenant: Tenant, limit: int) -> list[tuple[Raised, Ruled]]:
        """Return what is left to a person, the newest first."""
        query = select(RULINGS).where(RULINGS.c.tenant == tenant, RULINGS.c.state == State.WAITING.value)
        newest = query.order_by(RULINGS.c.decided_at.desc(), RULINGS.c.finding, RULINGS.c.action).limit(limit)
        with self.database.reading() as connection:
            ruled = [rows.ruling(row) for row in connection.execute(newest)]
            about = select(FINDINGS).where(
                FINDINGS.c.tenant == tenant, FINDINGS.c.reference.in_({one.finding for one in ruled})
            )
            raised = {row.reference: rows.finding(row) for row in connection.execute(about)}
        return [(raised[one.finding], one) for one in ruled if one.finding in raised]

    def past(self, tenant: Tenant, since: datetime) -> list[Past]:
        """Return what was ruled since a time; findings by their keys."""
        query = (
            select(RULINGS, FINDINGS.c.key)
            .join(FINDINGS, (FINDINGS.c.tenant == RULINGS.c.tenant) & (FINDINGS.c.reference == RULINGS.c.finding))
            .where(RULINGS.c.tenant == tenant, RULINGS.c.decided_at >= to_millis(since))
            .order_by(RULINGS.c.decided_at)
        )
        with self.database.reading() as connection:
            return [rows.past(row) for row in connection.execute(query)]

    def _raised(self, *conditions: Any, limit: int = 1) -> list[Raised]:
        query = select(FINDINGS).where(*conditions).order_by(FINDINGS.c.last_seen.desc()).limit(limit)
        with self.database.reading() as connection:
            return [rows.finding(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """`Policies` in the database."""

    database: Database

    def current(self, tenant: Tenant) -> tuple[int, Policy]:
        """Return version and settings; version 0 and the defaults where nobody changed them."""
        query = select(SETTINGS).where(SETTINGS.c.tenant == tenant).order_by(SETTINGS.c.version.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return 0, Policy()
        return row.version, settings.stored(digest.loads(row.document, source="soc_settings"))

    def put(self, tenant: Tenant, version: int, policy: Policy, *, by: str, at: datetime) -> None:
        """Add a version; raise `Conflict` where it exists."""
        document = digest.dumps(settings.to_document(policy)).decode()
        values = {"tenant": tenant, "version": version, "document": document, "person": by}
        taken = "somebody changed the settings meanwhile; look at them again"
        with self.database.attempting(taken) as connection:
            connection.execute(insert(SETTINGS), [values | {"changed_at": to_millis(at)}])


@dataclass(frozen=True, slots=True)
class AlertTable:
    """`Mailbox` in the database."""

    database: Database

    def add(self, delivery: Delivery) -> None:
        """Add a delivery; one that is there stays as it is."""
        alert = delivery.alert
        with self.database.reading() as connection:
            there = connection.execute(select(ALERTS.c.state).where(*_same(delivery))).first()
        if there is None:
            message = {"subject": alert.subject, "text": alert.text, "document": dict(alert.document)}
            values = {"tenant": alert.tenant, "alert": alert.identifier, "channel": delivery.channel}
            values |= {"about": alert.about, "message": json.dumps(message), "state": "waiting"}
            times = {"created_at": to_millis(delivery.created_at), "next_at": to_millis(delivery.next_at)}
            row: dict[str, Any] = {**values, **times, "attempts": delivery.attempts}
            self.database.connection().execute(insert(ALERTS), [row])

    def due(self, at: datetime, limit: int = 50) -> list[Delivery]:
        """Return what is to be tried now, the oldest first."""
        query = select(ALERTS).where(ALERTS.c.state == "waiting", ALERTS.c.next_at <= to_millis(at))
        with self.database.reading() as connection:
            return [rows.delivery(row) for row in connection.execute(query.order_by(ALERTS.c.next_at).limit(limit))]

    def retry(self, delivery: Delivery) -> None:
        """Write number of attempts and time of the next one."""
        values = {"attempts": delivery.attempts, "next_at": to_millis(delivery.next_at)}
        self.database.connection().execute(update(ALERTS).where(*_same(delivery)).values(**values))

    def close(self, delivery: Delivery, state: str) -> None:
        """Write that it was sent or given up."""
        change = update(ALERTS).where(*_same(delivery)).values(state=state, attempts=delivery.attempts)
        self.database.connection().execute(change)

    def of(self, tenant: Tenant, about: str) -> list[tuple[Delivery, str]]:
        """Return the deliveries about a finding, with their states."""
        query = select(ALERTS).where(ALERTS.c.tenant == tenant, ALERTS.c.about == about)
        with self.database.reading() as connection:
            return [(rows.delivery(row), row.state) for row in connection.execute(query.order_by(ALERTS.c.channel))]

    def unsent(self, tenant: Tenant, before: datetime, limit: int) -> list[tuple[Delivery, str]]:
        """Return what was given up, what failed, and what was made `before` and never tried; newest first."""
        behind = (ALERTS.c.attempts > 0) | (ALERTS.c.created_at < to_millis(before))
        late = (ALERTS.c.state == "waiting") & behind
        query = select(ALERTS).where(ALERTS.c.tenant == tenant, late | (ALERTS.c.state == "given-up"))
        newest = query.order_by(ALERTS.c.created_at.desc(), ALERTS.c.alert, ALERTS.c.channel).limit(limit)
        with self.database.reading() as connection:
            return [(rows.delivery(row), row.state) for row in connection.execute(newest)]


def _same(delivery: Delivery) -> tuple[Any, ...]:
    alert = delivery.alert
    mine = (ALERTS.c.tenant == alert.tenant, ALERTS.c.alert == alert.identifier)
    return (*mine, ALERTS.c.channel == delivery.channel)


@dataclass(frozen=True, slots=True)
class ProgressTable:
    """`Progress` in the database."""

    database: Database

    def load(self) -> tuple[dict[tuple[Tenant, str, str], Tail], dict[Tenant, str]]:
        """Return tails by tenant, node and source, and each tenant's detector state."""
        with self.database.reading() as connection:
            tails = connection.execute(select(TAILS)).all()
            states = connection.execute(select(DETECTORS)).all()
        found = {(Tenant(row.tenant), row.node, row.source): Tail(row.inode, row.position) for row in tails}
        return found, {Tenant(row.tenant): row.state for row in states}

    def save(self, tails: Mapping[tuple[Tenant, str, str], Tail], states: Mapping[Tenant, str]) -> None:
        """Write both in one transaction: a line counts once, whenever the process ends."""
        with self.database.transaction():
            connection = self.database.connection()
            for (tenant, node, source), tail in tails.items():
                mine = (TAILS.c.tenant == tenant, TAILS.c.node == node, TAILS.c.source == source)
                connection.execute(delete(TAILS).where(*mine))
                values: dict[str, Any] = {"tenant": tenant, "node": node, "source": source}
                connection.execute(insert(TAILS), [values | {"inode": tail.inode, "position": tail.offset}])
            for tenant, state in states.items():
                connection.execute(delete(DETECTORS).where(DETECTORS.c.tenant == tenant))
                connection.execute(insert(DETECTORS), [{"tenant": tenant, "state": state}])


@dataclass(frozen=True, slots=True)
class BoundedWrites:
    """Run a write, and stop waiting for it after a moment: a locked database must not hold up a cut."""

    seconds: float = PATIENCE

    def __call__(self, write: Callable[[], None]) -> None:
        """Run it; raise `Unavailable` where it fails so or takes too long (it may still come to its end then)."""
        failed: list[Exception] = []

        def attempt() -> None:
            try:
                write()
            except Exception as error:  # noqa: BLE001 - carried over to the thread that waits
                failed.append(error)

        thread = threading.Thread(target=attempt, name="rows", daemon=True)
        thread.start()
        thread.join(self.seconds)
        if thread.is_alive():
            raise Unavailable("the database did not take a response in time; it is written as soon as it can be")
        if failed:
            raise failed[0]

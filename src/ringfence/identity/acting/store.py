"""Acts that wait for their signature, in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, delete, func, insert, select, update

from ringfence.identity.acting.model import LIFE, SETTLING, PreparedAct, Question
from ringfence.identity.signin.model import Owner
from ringfence.kernel import drafts
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.commitment import Opening
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database

ACTS = Table(
    "identity_acts",
    METADATA,
    Column("act", String(40), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("place", String(200), nullable=False),
    Column("draft", LargeBinary, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("binding", LargeBinary(32)),
    Column("credential", LargeBinary(1023)),
    Column("payload", LargeBinary),
    Column("opening", LargeBinary),
    Column("outcome", LargeBinary),
    Index("identity_acts_of", "tenant", "person"),
)
_NO_QUESTION = {"binding": None, "credential": None, "payload": None, "opening": None}


@dataclass(frozen=True, slots=True)
class ActTable:
    """`Acts` in the database."""

    database: Database

    def put(self, act: PreparedAct, *, now: datetime) -> None:
        """Keep a new act; forget those that have ended, with the reasons in them."""
        connection = self.database.connection()
        unsigned = ACTS.c.outcome.is_(None) & (ACTS.c.until <= to_millis(now - SETTLING))
        connection.execute(delete(ACTS).where(unsigned | (ACTS.c.until <= to_millis(now - LIFE))))
        values = {
            "act": act.id,
            "tenant": act.owner.tenant,
            "person": act.owner.person,
            "place": act.place,
            "draft": drafts.to_bytes(act.draft),
            "until": to_millis(act.until),
        }
        connection.execute(insert(ACTS), [values])

    def one(self, act: str) -> PreparedAct | None:
        """Return an act, ended or not."""
        with self.database.reading() as connection:
            row = connection.execute(select(ACTS).where(ACTS.c.act == act)).first()
        return None if row is None else _act(row)

    def waiting(self, owner: Owner) -> int:
        """Return how many acts of a person wait."""
        mine = (ACTS.c.tenant == owner.tenant) & (ACTS.c.person == owner.person) & ACTS.c.outcome.is_(None)
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(ACTS).where(mine)).scalar() or 0)

    def unsigned(self, owner: Owner) -> list[PreparedAct]:
        """Return the acts of a person that nobody signed, ended or not, the one that ends first before the others."""
        mine = (ACTS.c.tenant == owner.tenant) & (ACTS.c.person == owner.person) & ACTS.c.outcome.is_(None)
        with self.database.reading() as connection:
            return [_act(row) for row in connection.execute(select(ACTS).where(mine).order_by(ACTS.c.until))]

    def ask(self, act: str, question: Question) -> None:
        """Keep what a browser is asked, in the place of what was asked before."""
        values = {
            "binding": question.binding,
            "credential": question.credential,
            "payload": question.payload,
            "opening": question.opening.data if question.opening else None,
        }
        self.database.connection().execute(update(ACTS).where(ACTS.c.act == act).values(values))

    def take(self, act: str) -> Question | None:
        """Return what was asked and forget it; only one of two who ask at once gets it."""
        connection = self.database.connection()
        row = connection.execute(select(ACTS).where(ACTS.c.act == act)).first()
        question = None if row is None else _question(row)
        if question is None:
            return None
        same = (ACTS.c.act == act) & (ACTS.c.payload == question.payload)
        taken = connection.execute(update(ACTS).where(same).values(_NO_QUESTION)).rowcount == 1
        return question if taken else None

    def done(self, act: str, outcome: bytes) -> bool:
        """Keep the answer of the target; return False where there is one already."""
        change = update(ACTS).where(ACTS.c.act == act, ACTS.c.outcome.is_(None)).values(outcome=outcome)
        return self.database.connection().execute(change).rowcount == 1


def _question(row: Any) -> Question | None:
    if row.payload is None:
        return None
    return Question(row.binding, row.credential, row.payload, Opening(row.opening) if row.opening else None)


def _act(row: Any) -> PreparedAct:
    return PreparedAct(
        row.act,
        Owner(Tenant(row.tenant), PersonId(row.person)),
        row.place,
        drafts.parse(row.draft),
        from_millis(row.until),
        _question(row),
        row.outcome,
    )

"""Enter risks, treat them, look at them again, accept what is left: all of it signed, all of it in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ringfence.governance import reading
from ringfence.governance.desk import Desk, check_same
from ringfence.governance.risks import counts, register, statements
from ringfence.governance.risks.model import Risk, RiskId, Row
from ringfence.governance.risks.statements import Known
from ringfence.governance.signed import Said
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant

WITHIN = timedelta(days=reading.LONGEST)  # how old what is accepted may be


@dataclass(frozen=True, slots=True)
class Risks:
    """The use cases of the register."""

    desk: Desk
    known: Known

    def all(self, tenant: Tenant, at: datetime | None = None) -> list[Risk]:
        """Return every risk as of a time, the gravest open ones first."""
        found = register.fold(self.desk.said(tenant, statements.ALL, at))
        return sorted(found.values(), key=lambda risk: (not risk.open, -risk.row.rating.score, risk.id))

    def one(self, tenant: Tenant, name: RiskId, at: datetime | None = None) -> Risk:
        """Return one risk; raise `NotFound`."""
        found = register.fold(self.desk.said(tenant, statements.ALL, at)).get(name)
        if found is None:
            raise NotFound(f"no risk here is called {name}; see `ringfence risk list`")
        return found

    def today(self) -> date:
        """Return the day, by our clock and in UTC."""
        return self.desk.clock.now().date()

    def counted(self, tenant: Tenant) -> Mapping[str, int | str]:
        """Return what a risk assessment counts in the register, and the digest of what was counted."""
        said = list(self.desk.said(tenant, statements.ALL))
        found = register.fold(said).values()
        return {"register": str(register.named_by(said)), **counts.counts(found, self.today())}

    def register(self, by: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take risks that somebody entered: all of them, or none."""
        details = opening.details if opening else {}
        rows = statements.parse_registered(envelope.statement.claims, details, self.known)
        check_same(envelope, statements.registered(rows), opening)
        for row in rows:
            _check_texts(row)
        there = {risk.id for risk in self.all(by.tenant)}
        if again := [row.id for row in rows if row.id in there]:
            raise Conflict(f"{again[0]} is in the register already; `ringfence risk review` rates it anew")
        return self.desk.take(by, envelope, opening)

    def treat(self, by: Person, name: RiskId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take what somebody decided about a risk; what was accepted before, is to be accepted again."""
        details = opening.details if opening else {}
        named, plan = statements.parse_treated(envelope.statement.claims, details, self.known)
        check_same(envelope, statements.treated(named, plan), opening)
        reading.text(plan.text, "plan")
        self._open(by.tenant, name, named)
        return self.desk.take(by, envelope, opening)

    def review(self, by: Person, name: RiskId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take what somebody found who looked at a risk again."""
        review = statements.parse_reviewed(envelope.statement.claims, opening.details if opening else {})
        check_same(envelope, statements.reviewed(review), opening)
        reading.text(review.note, "note")
        self._open(by.tenant, name, review.risk)
        if review.review_on <= self.today() and not review.closed:
            raise Refused("reviewOn: the next review lies ahead")
        return self.desk.take(by, envelope, opening)

    def accept(self, by: Person, name: RiskId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take management's acceptance of what is left of a risk.

        Raises:
            Refused: whoever accepts owns the risk, or rated or treated it last; or it does not end within a year.
            Conflict: the risk has changed since it was shown.
        """
        accepting = statements.parse_accepted(envelope.statement.claims, opening.details if opening else {})
        check_same(envelope, statements.accepted(accepting), opening)
        reading.text(accepting.reason, "reason")
        risk = self._open(by.tenant, name, accepting.risk)
        reading.until(str(accepting.until), "until", self.today())
        may_accept(risk, by)
        if not register.acceptable(risk, accepting, self.today()):
            raise Conflict("the risk has changed since; look at it again and sign anew")
        return self.desk.take_second(by, envelope, opening, self._basis(by.tenant, risk), WITHIN)

    def _open(self, tenant: Tenant, name: RiskId, named: RiskId) -> Risk:
        if name != named:
            raise Refused("what was signed is about another risk")
        risk = self.one(tenant, name)
        if not risk.open:
            raise Conflict(f"{name} is closed; enter a new one")
        return risk

    def _basis(self, tenant: Tenant, risk: Risk) -> Said:
        said = self.desk.said(tenant, statements.ALL)
        return next(one for one in said if one.envelope == risk.basis)


def may_accept(risk: Risk, by: Person) -> None:
    """Return where a person can accept what is left of a risk; raise `Refused` where another has to."""
    if said := why_not(risk, by):
        raise Refused(said)


def why_not(risk: Risk, by: Person) -> str:
    """Say why a person cannot accept what is left of a risk; nothing where they can."""
    if risk.row.plan is None:
        return "decide first how the risk is treated; what is left of it then can be accepted"
    if not risk.row.owned:
        return "the risk has no owner; name one with `ringfence risk review`"
    if by.id in (risk.row.owner, risk.basis_by):
        return "whoever owns the risk, or rated or treated it last, does not accept it; another person does"
    return ""


def _check_texts(row: Row) -> None:
    reading.line(row.title, f"{row.id}: title")
    if row.text:
        reading.text(row.text, f"{row.id}: text")
    if row.owner_words:
        reading.line(row.owner_words, f"{row.id}: owner")
    if row.plan and row.plan.text:
        reading.text(row.plan.text, f"{row.id}: plan")
    if row.owned != bool(row.owner or row.owner_words):
        raise Refused(f"{row.id}: owned says whether a person is named, by id or in words")

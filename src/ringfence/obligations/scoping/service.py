"""Sign a scope and read the one in force: a person signs only what the rules make of the profile that is signed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import SALT_SIZE, Opening
from ringfence.kernel.digest import dumps
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft, Statement
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.obligations.ports import Evidence
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.document import MAX_TEXT
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.statement import ENTITY, SYSTEM, Signing, drafts, salt_of

PLACE = "scope"
_LOOKED_THROUGH = 50  # signatures of scopes looked through for one by a key that counts


@dataclass(frozen=True, slots=True)
class Signed:
    """A scope that somebody signed."""

    logged: LoggedStatement
    profile: str  # empty where it was erased
    document: Mapping[str, Any] | None  # what the rules of today say of it on the day of its signature

    @property
    def claims(self) -> Mapping[str, Any]:
        """Return what the envelope says, which stays when the profile is erased."""
        return self.logged.envelope.statement.claims

    @property
    def same_rules(self) -> bool:
        """Return whether the legal data are still those under which it was signed."""
        return self.document is None or self.document["rules"]["digest"] == self.claims["rulesDigest"]


@dataclass(frozen=True, slots=True)
class SystemOf:
    """An AI system of the scope in force, and the newest signature of just this classification, if any."""

    name: str
    draft: Draft
    entry: int | None

    @property
    def id(self) -> str:
        """Return its opaque id."""
        return str(self.draft.claims["system"])


@dataclass(frozen=True, slots=True)
class Scopes:
    """The use cases of the signed scope."""

    log: Evidence
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock
    secret: Callable[[], bytes]
    random: Callable[[int], bytes]

    def today(self) -> date:
        """Return the day, by our clock and in UTC."""
        return self.clock.now().date()

    def drafted(self, tenant: Tenant, profile: str) -> tuple[Mapping[str, Any], tuple[Draft, ...]]:
        """Return what a profile comes to today, and what a person signs who agrees: the entity, then each system."""
        document = classified(profile, self.today())
        return document, drafts(document, profile, Signing(tenant, self.secret(), self.random(SALT_SIZE)))

    def take(self, person: Person, _place: str, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a classification that the person signed, of the entity or of one of its systems.

        Raises:
            Refused: it says anything but what the rules make of its profile, or of the profile in force.
        """
        statement = envelope.statement
        if statement.issuance.tenant != person.tenant:
            raise Refused("the classification is one of another tenant")
        if statement.predicate == ENTITY:
            _same(statement, opening, self._entity(statement, opening))
        else:
            _same(statement, opening, self.system(person.tenant, str(statement.claims.get("system", ""))).draft)
        with self.publishable():
            done = self.recorder.admit(envelope, opening, by=person)
        return self.publication.published(done.envelope)

    def _entity(self, statement: Statement, opening: Opening | None) -> Draft:
        details = opening.details if opening else {}
        profile = details.get("profile")
        if not isinstance(profile, str):
            raise Refused("a scope is signed together with the profile that it was made from")
        issuance = statement.issuance
        document = classified(profile, issuance.issued_at.date())
        return drafts(document, profile, Signing(issuance.tenant, self.secret(), salt_of(details)))[0]

    def in_force(self, tenant: Tenant, at: datetime | None = None) -> Signed | None:
        """Return the newest scope that a key signed which counts; None where there is none."""
        return next(iter(self.signatures(tenant, at, limit=1)), None)

    def signatures(self, tenant: Tenant, at: datetime | None = None, *, limit: int = 2) -> list[Signed]:
        """Return the newest scopes, newest first."""
        known = self.log.page(tenant, limit=_LOOKED_THROUGH, predicates=(ENTITY,), at=at)
        trusted = [logged for logged in known if logged.standing is Standing.TRUSTED]
        return [_signed(logged) for logged in trusted[:limit]]

    def systems(self, tenant: Tenant, at: datetime | None = None) -> list[SystemOf]:
        """Return the systems of the scope in force, each with its newest signature of the same content."""
        signed = self.in_force(tenant, at)
        if signed is None or signed.document is None:
            return []
        salt = bytes(SALT_SIZE)  # stands in the entity's statement only
        made = drafts(signed.document, signed.profile, Signing(tenant, self.secret(), salt))[1:]
        known = self._known(tenant, at)
        names = dict.fromkeys(row["system"] for row in signed.document["ai_act"])
        found = [SystemOf(name, draft, known.get(_content(draft))) for name, draft in zip(names, made, strict=True)]
        listed = signed.claims["systems"]  # a scope that was signed in another home has ids of that home
        return [one for one in found if one.id in listed]

    def _known(self, tenant: Tenant, at: datetime | None) -> dict[bytes, int]:
        found = {}
        for logged in self.log.statements(tenant, (SYSTEM,), at=at):
            if logged.standing is Standing.TRUSTED:
                found[_content(logged.envelope.statement)] = logged.entry
        return found

    def system(self, tenant: Tenant, name: str) -> SystemOf:
        """Return one system of the scope in force by its id; raise `NotFound`."""
        for one in self.systems(tenant):
            if one.id == name:
                return one
        raise NotFound(f"the scope in force lists no system {name[:40]!r}")


def classified(profile: str, on: date) -> Mapping[str, Any]:
    """Return what the rules say of a profile; raise `MalformedInput` with line and column."""
    data = profile.encode("utf-8", "surrogatepass")
    if len(data) > MAX_TEXT:
        raise MalformedInput(f"the profile has {len(data)} bytes; the limit is {MAX_TEXT}", source="the profile")
    return classify(parse(data, source="the profile"), on)


def _signed(logged: LoggedStatement) -> Signed:
    details = logged.opening.details if logged.opening else {}
    profile = str(details.get("profile", ""))
    on = logged.envelope.statement.issuance.issued_at.date()
    try:
        return Signed(logged, profile, classified(profile, on) if profile else None)
    except MalformedInput:  # an older format, or posted by hand: what was claimed still stands
        return Signed(logged, profile, None)


def _content(said: Draft | Statement) -> bytes:
    subjects = [(subject.name, str(subject.digest)) for subject in said.subjects]
    return dumps({"claims": dict(said.claims), "subjects": subjects})


def _same(statement: Statement, opening: Opening | None, expected: Draft) -> None:
    """Return where a statement, and what stands beside it, say what was expected of them; raise `Refused`."""
    if statement.predicate != expected.predicate or _content(statement) != _content(expected):
        wrong = sorted(
            name
            for name in {*statement.claims, *expected.claims}
            if statement.claims.get(name) != expected.claims.get(name)
        )
        raise Refused(f"this is not what the rules make of the profile: {', '.join(wrong) or 'its subject'}")
    if statement.issuance.strength is not expected.strength:
        raise Refused(f"a classification is {expected.strength.text}, not {statement.issuance.strength.text}")
    if opening is None or dict(opening.details) != dict(expected.details):
        raise Refused("what stands beside the classification is not what was drafted")

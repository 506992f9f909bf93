"""What people have signed, as the log holds it: what counts of it, and whether two of them are independent. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ringfence.kernel import assertion, evidence
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Subject
from ringfence.kernel.two_person import MATURITY


class Signer(Protocol):
    """Whose key signed, as the log knows it."""

    @property
    def role(self) -> KeyRole: ...
    @property
    def person(self) -> PersonId | None: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def valid_from(self) -> datetime: ...
    @property
    def enrolled_by(self) -> str: ...


class Logged(evidence.Logged, Protocol):
    """A statement in the log, with what the key of its signer was worth then."""

    @property
    def standing(self) -> str: ...
    @property
    def issuer(self) -> Signer | None: ...


class Log(Protocol):
    """What is read of the ledger."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[Logged]:
        """Return a tenant's statements in log order, recorded by `at`, with the standing of their keys known then."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that somebody signed and that counts."""

    entry: int
    at: datetime  # when the log took it in: what a statement says of its own time is not asked
    by: PersonId
    with_passkey: bool
    key_since: datetime
    enrolled_by: str  # who enrolled the key: the root, or a person
    envelope: Digest
    predicate: PredicateName
    claims: Mapping[str, Any]
    details: Mapping[str, Any]  # empty where they were erased

    def young(self, first: "Said | None" = None) -> bool:
        """Tell whether this key, or that of the first person, was new when this was signed.

        In the first day of an installation every key is, and that is shown.
        """
        keys = (self.key_since, first.key_since if first else self.key_since)
        return any(self.at - since < MATURITY for since in keys)


def subject(name: str) -> Subject:
    """Return what a statement about something here is about; ids are random, so that their digests tell nothing."""
    short = name.replace("-", "/", 1)
    return Subject(short, Digest.of(short.encode()))


def counting(statements: Iterable[Logged]) -> Iterator[Said]:
    """Return those that a person's own key signed, in force when the log took them in; others count for nothing."""
    for logged in statements:
        issuer = logged.issuer
        if (
            logged.standing != evidence.TRUSTED
            or issuer is None
            or issuer.person is None
            or issuer.role != KeyRole.OPERATOR
        ):
            continue
        statement = logged.envelope.statement
        yield Said(
            logged.entry,
            logged.recorded_at,
            issuer.person,
            issuer.algorithm == assertion.ALGORITHM,
            issuer.valid_from,
            issuer.enrolled_by,
            logged.envelope.digest,
            statement.predicate,
            statement.claims,
            logged.opening.details if logged.opening else {},
        )


def agrees(second: Said, first: Said, others: Collection[str] = ()) -> bool:
    """Tell whether a second person, by passkey, stands beside the first: neither the same nor enrolled by the other."""
    independent = second.by not in {first.by, first.enrolled_by, *others} and first.by != second.enrolled_by
    return second.with_passkey and independent

"""What identity needs from the world."""

from datetime import datetime
from typing import Protocol

from ringfence.identity.model import Custody, PersonRecord, TenantRecord
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PersonId, Tenant


class People(Protocol):
    """The register of people, tenants, links and codes for a terminal."""

    def add_tenant(self, tenant: TenantRecord) -> None: ...
    def tenants(self) -> list[TenantRecord]: ...
    def add(self, person: PersonRecord) -> None: ...
    def replace(self, person: PersonRecord) -> None: ...
    def all(self, tenant: Tenant) -> list[PersonRecord]: ...
    def by_id(self, tenant: Tenant, person: PersonId) -> PersonRecord | None: ...
    def by_token(self, token_hash: bytes) -> PersonRecord | None: ...

    def add_pass(self, kind: str, pass_hash: bytes, person: PersonRecord, until: datetime) -> None:
        """Keep the hash of a one-time link or of a code for a terminal."""
        ...

    def by_pass(self, kind: str, pass_hash: bytes, at: datetime) -> PersonRecord | None:
        """Return whose link or code it is, if it has not ended."""
        ...

    def forget_passes(self, before: datetime) -> None:
        """Forget every link and code that ended before a time."""
        ...

    def drop_pass(self, kind: str, pass_hash: bytes) -> bool:
        """Forget a link or code; return whether it was there."""
        ...


class Revocations(Protocol):
    """The list of people whose access has ended at once, kept outside the database.

    Containment acts first and is recorded afterwards: it must work while the database does not.
    """

    def revoke(self, person: PersonId) -> None:
        """Add a person, durably; repeating it changes nothing."""
        ...

    def __contains__(self, person: object) -> bool:
        """Return whether the person's access was ended."""
        ...


class Enrolments(Protocol):
    """Checks that an envelope is an enrolment by the root of this installation."""

    def check_enrolment(self, envelope: Envelope) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        ...


class Books(Protocol):
    """The numbering of each tenant's statements in the log."""

    def check(self, envelope: Envelope, salt: bytes) -> None:
        """Return where the root signed an enrolment for the book under this salt; raise `VerificationFailed`."""
        ...

    def begin(self, tenant: Tenant, salt: bytes) -> None:
        """Begin the book of a new tenant, in the open transaction."""
        ...

    def same(self, first: Envelope, second: Envelope) -> bool:
        """Tell whether two enrolments say the same, each in its own book."""
        ...


class CustodyReport(Protocol):
    """Says where the keys lie."""

    def __call__(self) -> Custody:
        """Return the custody of every kind of key."""
        ...

"""Say what a team's overrides came to, and take the signature that sets a control aside."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.obligations import asides
from ringfence.obligations.choices import Aside, SetAside
from ringfence.obligations.difference import Difference, difference
from ringfence.obligations.duties import day
from ringfence.obligations.model import Catalog
from ringfence.obligations.overriding import statement
from ringfence.obligations.results import ControlResult
from ringfence.obligations.service import Status


@dataclass(frozen=True, slots=True)
class Overriding:
    """The use cases of overrides; the files themselves are read when the installation is opened."""

    status: Status
    shipped: Catalog
    refused: str  # why no file counts
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock

    @property
    def catalog(self) -> Catalog:
        """Return the rules that count here."""
        return self.status.catalog

    def changes(self) -> Difference:
        """Return what the files change of the shipped rules."""
        return difference(self.shipped, self.catalog)

    def asides(self, tenant: Tenant) -> list[tuple[ControlResult, Aside]]:
        """Return the controls that a file says do not apply, with what that came to."""
        return [(result, result.aside) for result in self.status.board(tenant).controls if result.aside is not None]

    def draft(self, tenant: Tenant, control: str) -> Draft:
        """Return what sets a control aside once it is signed; raise `NotFound` or `Refused`."""
        return statement.draft(self._row(tenant, control))

    def take(self, person: Person, control: str, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record that a person set a control aside.

        Raises:
            NotFound: no file says that it does not apply.
            Refused: it cannot be set aside.
            MalformedInput: something else was signed than the file says now.
        """
        row = self._row(person.tenant, control)
        statement.check(envelope.statement, dict(opening.details) if opening else {}, row)
        with self.publishable():
            done = self.recorder.admit(envelope, opening, by=person)
        return self.publication.published(done.envelope)

    def _row(self, tenant: Tenant, control: str) -> SetAside:
        row = self.catalog.overrides.set_aside.get(control)
        if row is None:
            raise NotFound(
                f"no file of overrides that was read when this started says that {control[:16]!r} does not apply; "
                "see `ringfence rules check`, and start `ringfence up` again after a change"
            )
        if self.clock.now() >= day(row.expires):
            raise Refused(f"{control} was to be set aside until {row.expires}, which is over; change the file")
        board = self.status.board(tenant)
        result = next(result for result in board.controls if result.control.id == control)
        if because := asides.refusal(result.control, result.duties, board.profile):
            raise Refused(f"{control} cannot be set aside: {because}")
        return row

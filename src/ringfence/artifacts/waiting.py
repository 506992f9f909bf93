"""Sealed bytes that wait in this process until a person has signed their seal: neither stands without the other."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, Refused
from ringfence.kernel.identifier import Tenant

Signature = Future[Envelope]
GONE = "what this seal is about is not held here any more: it waits five minutes; seal it again"
UNSIGNED = "nobody signed the seal in time; nothing was kept"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The seals that wait, by tenant and the digest of the seal."""

    _open: dict[tuple[Tenant, Digest], Signature] = field(default_factory=dict)

    @contextmanager
    def expecting(self, tenant: Tenant, seal: Digest) -> Iterator[Signature]:
        """Wait for the signature of a seal while the block runs."""
        signature = self._open[tenant, seal] = Future()
        try:
            yield signature
        finally:
            del self._open[tenant, seal]

    @contextmanager
    def answering(self, tenant: Tenant, envelope: Envelope) -> Iterator[list[Envelope]]:
        """Record a signed seal while its bytes are held; what the block puts into the list is what they get."""
        signature = self._open.get((tenant, envelope.statement.subjects[0].digest))
        if signature is None or not signature.set_running_or_notify_cancel():
            raise Conflict(GONE)
        given: list[Envelope] = []
        try:
            yield given
        except BaseException as error:
            signature.set_exception(error)
            raise
        signature.set_result(given[0])


def signed(signature: Signature, within: timedelta) -> Envelope:
    """Return the signed seal; raise `Refused` where nobody signs it in time.

    One that is being recorded when the time is up is waited for: it may stand in the log already.
    """
    try:
        return signature.result(within.total_seconds())
    except TimeoutError:
        if signature.cancel():
            raise Refused(UNSIGNED) from None
        return signature.result()

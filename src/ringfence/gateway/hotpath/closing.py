"""Close segments: keep the records, sign their root, and never sign a second root for the same number."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from ringfence.gateway import segment
from ringfence.gateway.blobs import ReceiptIndex, SegmentFiles
from ringfence.gateway.daybook import Daybook
from ringfence.gateway.ports import Randomness, Signer
from ringfence.gateway.segment import Closing
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.kernel.statement import Issuance, Strength
from ringfence.storage.files import explained, sync_directory

RETRY_SECONDS = 1.0
MARK_EVERY = 500  # segments: what a restart has to index again at the most

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Closer:
    """Turn what a file of the journal holds into one signed segment per tenant."""

    files: SegmentFiles
    index: ReceiptIndex
    signer: Signer
    log: LogOrigin
    demo_tenants: frozenset[Tenant]
    clock: Clock
    random: Randomness

    def close(self, path: Path, book: Daybook) -> None:
        """Close the segments of a file that nothing is appended to any more, and remove it.

        Doing it again after a crash closes what is missing and repeats nothing.

        Raises:
            Unavailable: the disk refuses; the file stays.
        """
        for tenant, ended, closing in book.closings():
            if self.files.is_closed(tenant, closing.number):
                continue  # signed before a crash: what was signed stands
            self.files.keep(tenant, closing.number, ended.leaves, ended.salts)
            self.index.add(tenant, closing.number, ended.requests)
            self.files.close(tenant, closing.number, self._sign(tenant, closing))
            if closing.number % MARK_EVERY == 0:
                self.index.mark(tenant, closing.number)
        with explained(path, "remove"):
            path.unlink(missing_ok=True)
            sync_directory(path.parent)

    def _sign(self, tenant: Tenant, closing: Closing) -> Envelope:
        before = self.files.envelope(tenant, closing.number - 1) if closing.number > 1 else None
        continued = before is not None and before.signer == self.signer.key
        issuance = Issuance(
            tenant=tenant,
            log=self.log,
            issuer=self.signer.key,
            strength=Strength.OBSERVED,
            sequence=before.statement.issuance.sequence + 1 if before is not None and continued else 1,
            nonce=self.random(16).hex(),
            idempotency_key=segment.idempotency_key(closing.number),
            issued_at=self.clock.now(),
            demo=tenant in self.demo_tenants,
        )
        return self.signer.sign(segment.state(closing, issuance))


@dataclass(slots=True)
class ClosingThread:
    """Close files of the journal one after the other, in their order, beside the writing."""

    closer: Closer
    done: Callable[[Path], None]
    _waiting: SimpleQueue[tuple[Path, Daybook] | None] = field(default_factory=SimpleQueue)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="closing", daemon=True)
        self._thread.start()

    def take(self, path: Path, book: Daybook) -> None:
        """Take a file that nothing is appended to any more."""
        self._waiting.put((path, book))

    def stop(self) -> None:
        """Close what was taken, and end; what cannot be closed now is closed at the next start."""
        self._stopped.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (one := self._waiting.get()) is not None:
            while not self._closed(*one):
                if self._stopped.wait(RETRY_SECONDS):  # the order counts: the next one cannot be closed before it
                    return
            self.done(one[0])

    def _closed(self, path: Path, book: Daybook) -> bool:
        try:
            self.closer.close(path, book)
        except Exception as error:  # noqa: BLE001 - whatever it is: without this thread no segment would ever close
            known = isinstance(error, RingfenceError | OSError)
            _log.warning("a segment cannot be closed and will be tried again: %s", error, exc_info=not known)
            return False
        return True

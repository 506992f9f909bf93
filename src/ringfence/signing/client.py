"""The signer's port over its socket: what the control process has instead of keys."""

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing import protocol
from ringfence.signing.model import PublicKeys
from ringfence.storage import sockets

ANSWERS_WITHIN = 15.0  # seconds: a head waits for one fsync
_IDLE = 16  # connections that are kept


@dataclass(slots=True)
class RemoteSigner:
    """`Signer` at the other end of a socket; several threads may ask at once."""

    path: Path
    _public: PublicKeys | None = None
    _idle: list[socket.socket] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def public(self) -> PublicKeys:
        """Return the public halves; asked for once, since no key changes while its signer's `up` runs."""
        if self._public is None:
            self._public = protocol.public_from_json(self._ask({"op": "public"}))
        return self._public

    def check(self) -> None:
        """Raise `Unavailable` where nothing can be signed now."""
        self._ask({"op": "check"})

    def state(self, role: KeyRole, payload: bytes) -> bytes:
        """Return the signature of a role's key over the payload of a statement."""
        return protocol.raw(self._ask({"op": "state", "role": role.value, "payload": protocol.text(payload)}))

    def head(self, head: Checkpoint, at: datetime, proof: Sequence[bytes] = ()) -> SignedCheckpoint:
        """Sign a head of the log; what comes back is opened with the log's own keys."""
        asked = {"head": protocol.head_to_json(head), "at": to_text(at), "proof": [protocol.text(one) for one in proof]}
        found = self._ask({"op": "head", **asked})
        signed = checkpoint.open_note(str(found["note"]), self.public().ledger, head.origin)
        if signed.checkpoint != head:
            raise InternalError("the signer signed another head than the one it was asked for")
        return signed

    def signed_last(self) -> Checkpoint | None:
        """Return the head that was signed last, as the mark says; None where nothing was signed yet."""
        found = self._ask({"op": "mark"})
        return None if found is None else protocol.head_from_json(found)

    def snapshot(self, signed: bytes) -> bytes:
        """Return the control plane's signature over a snapshot for the gateway."""
        return protocol.raw(self._ask({"op": "snapshot", "signed": protocol.text(signed)}))

    def close(self) -> None:
        """Close the connections that wait."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _ask(self, request: Mapping[str, Any]) -> Any:
        message = protocol.frame(request)
        kept = self._kept()
        answer = self._try(kept, message) if kept is not None else None
        # Asked again, the signer gives the same answer: nothing is done twice where a connection was stale.
        return protocol.outcome(self._fresh(message) if answer is None else answer)

    def _fresh(self, message: bytes) -> bytes:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWERS_WITHIN)
            sockets.connect(connection, self.path)
        except OSError as error:
            connection.close()
            raise Unavailable(_AWAY) from error
        answer = self._try(connection, message)
        if answer is None:
            raise Unavailable(_AWAY)
        return answer

    def _try(self, connection: socket.socket, message: bytes) -> bytes | None:
        try:
            connection.sendall(message)
            size = protocol.length(protocol.exactly(connection.recv, protocol.PREFIX))
            answer = protocol.exactly(connection.recv, size)
        except (OSError, EOFError):
            connection.close()
            return None
        except BaseException:
            connection.close()  # half an answer may be left in it
            raise
        self._keep(connection)
        return answer

    def _kept(self) -> socket.socket | None:
        with self._lock, suppress(IndexError):
            return self._idle.pop()
        return None

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()


_AWAY = (
    "the signer does not answer, so that nothing can be signed and nothing is recorded; `ringfence up` starts it again "
    "by itself: try again in a moment"
)

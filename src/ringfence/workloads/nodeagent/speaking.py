"""Speak with the agent of a node: what it answers is a stranger's word until its evidence has been judged."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.kernel.text import printable
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.wrapping import NODE_KEY_SIZE

LARGEST_ANSWER = 8 * 2**20
_SHOWN = 200
_EVIDENCE = frozenset({"family", "ak", "ek", "quote", "signature", "pcrs", "eventLog", "ima"})


@dataclass(frozen=True, slots=True)
class Speaking:
    """A conversation with one agent: each request is a login of its own."""

    send: Callable[[bytes], bytes]  # a message there, its answer back
    certificate: Callable[[], bytes]  # of the endorsement key, which we keep: a guest has no use for it
    now: Callable[[], datetime]  # our own time: how long a lease goes on is never left to a node's

    def identify(self) -> bytes:
        """Return the public key that the agent made for itself."""
        key = _bytes(self._asked({"do": "identify"}, {"nodeKey", "ak", "ek"})["nodeKey"])
        if len(key) != NODE_KEY_SIZE:
            raise VerificationFailed(f"the node's agent shows a key of {len(key)} bytes, which is none of a node")
        return key

    def evidence(self, binding: bytes) -> bytes:
        """Return an evidence document over 32 bytes."""
        found = self._asked({"do": "quote", "binding": b64encode(binding).decode()}, _EVIDENCE)
        return digest.dumps({**found, "ekCertificate": b64encode(self.certificate()).decode()})

    def deliver(self, released: bytes) -> None:
        """Hand a released key over, with the time that its lease still has."""
        left = wrapping.parse(released).terms.expires_at - self.now()
        self._asked({"do": "deliver", "seconds": int(left.total_seconds())}, {"lease", "seconds"}, released)

    def revoke(self, lease: str) -> bool:
        """Have it drop the key of a lease; return whether it says that it had one."""
        return self._asked({"do": "revoke", "lease": lease}, {"revoked"})["revoked"] is True

    def read(self, lease: str, seal: Digest, path: str, files: Mapping[str, bytes]) -> bytes:
        """Have one file of a sealed dataset opened there, and return it.

        Args:
            lease: under which the agent has the key.
            seal: the signed digest of the dataset's seal file.
            path: of the file.
            files: the sealed dataset's own files by name: `seal.json`, `index`, and its objects.
        """
        listed = [[name, len(data)] for name, data in files.items()]
        request = {"do": "open", "lease": lease, "seal": str(seal), "path": path, "files": listed}
        return _bytes(self._asked(request, {"content"}, b"".join(files.values()))["content"])

    def _asked(
        self, request: dict[str, Any], fields: set[str] | frozenset[str], content: bytes = b""
    ) -> dict[str, Any]:
        line = json.dumps({**request, "size": len(content)}, separators=(",", ":")).encode()
        answer = digest.loads(self.send(line + b"\n" + content), source="the node's agent", limit=LARGEST_ANSWER)
        match answer:
            case {"error": str() as why}:
                raise Unavailable(f"the node's agent refuses: {printable(why, _SHOWN)}")
            case dict() if set(answer) == fields:
                return answer
            case _:
                raise VerificationFailed("the node's agent answers with something else than it was asked for")


def _bytes(text: object) -> bytes:
    try:
        return b64decode(text if isinstance(text, str) else "!", validate=True)
    except ValueError as error:
        raise VerificationFailed("the node's agent answers with bytes that are no base64") from error

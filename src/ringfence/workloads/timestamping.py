"""A time stamp over something else than a head of the log: asked of an authority as the log's own are (RFC 3161)."""

import secrets

from ringfence.ledger.anchoring import asking
from ringfence.ledger.anchoring.ports import Remote
from ringfence.ledger.anchors import timestamp


def stamp(url: str, signed: bytes, remote: Remote | None = None) -> bytes:
    """Return the answer of the authority at `url` over some bytes, of which it sees the SHA-256 alone.

    It answers this very request; whether the authority is to be believed is for whoever names its certificate.

    Raises:
        UsageError: the address is neither HTTPS nor on this machine.
        Unavailable: nothing answers there, or no authority.
        VerificationFailed: the authority refused, or answered another request.
    """
    from ringfence.ledger.anchoring.remote import HttpAnchors

    nonce = secrets.randbits(64)
    answer = (remote or HttpAnchors()).stamp(asking.address(url), timestamp.request(signed, nonce))
    timestamp.token_of(answer, nonce)
    return answer

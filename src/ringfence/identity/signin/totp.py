"""Codes of authenticator apps, RFC 6238: six digits, thirty seconds, one step of drift either way. Pure."""

import base64
import hmac
from datetime import datetime

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1  # steps
SECRET_SIZE = 20  # bytes: RFC 4226 recommends the length of the hash
MIN_PASSPHRASE, MAX_PASSPHRASE = 12, 256


def counter_at(now: datetime) -> int:
    """Return the step that a time lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_counter(secret: bytes, code: str, now: datetime) -> int | None:
    """Return the step whose code this is; every step is compared, in time that does not tell which."""
    from pyotp import HOTP

    made = HOTP(_base32(secret), digits=DIGITS)
    found = None
    given = code.encode()
    for counter in range(counter_at(now) - DRIFT, counter_at(now) + DRIFT + 1):
        if hmac.compare_digest(made.at(counter).encode(), given):
            found = counter
    return found


def address(secret: bytes, *, account: str) -> str:
    """Return what the picture says to an authenticator app."""
    from pyotp import TOTP

    made = TOTP(_base32(secret), digits=DIGITS, interval=STEP_SECONDS)
    return str(made.provisioning_uri(name=account, issuer_name="Ringfence"))


def written(secret: bytes) -> str:
    """Return the secret as people type it, in groups of four."""
    text = _base32(secret)
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode()

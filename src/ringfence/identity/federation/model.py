"""Identity providers, and who of ours they mean."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

ALGORITHMS = ("RS256", "ES256")  # nothing else is looked at, whatever a provider offers
LOGIN_LIFE = timedelta(minutes=10)  # from leaving for the provider until coming back
TOKEN_AGE = timedelta(minutes=10)
SKEW = timedelta(seconds=60)
MAX_PENDING = 1000  # logins that have been begun and not ended; beyond, the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows this installation as."""

    issuer: str
    client_id: str
    redirect_uri: str
    secret: str = field(repr=False, default="")  # empty for a public client: PKCE binds the code all the same


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool = False  # RFC 9207: answers carry `iss`


@dataclass(frozen=True, slots=True)
class Alias:
    """Under which name a source knows a person: an OpenID subject, or the id in a directory."""

    tenant: Tenant
    source: str
    subject: str
    person: PersonId
    linked_at: datetime


def checked_name(text: str, what: str) -> str:
    """Return a source or a subject; raise `MalformedInput` where it is none."""
    if not 1 <= len(text) <= 255 or not text.isascii() or not text.isprintable() or text != text.strip():
        raise MalformedInput(f"{what} has 1 to 255 printable ASCII characters")
    return text

"""What a provider publishes of itself: strict and bounded. Pure."""

from typing import Any

from ringfence.identity.federation.model import ALGORITHMS, Client, Metadata, checked_name
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

MAX_DOCUMENT = 64 * 2**10
MAX_KEYS = 32
CALLBACK = "/login/oidc/callback"
WELL_KNOWN = "/.well-known/openid-configuration"
_LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def is_private(url: str) -> bool:
    """Return whether nobody on the way can read or change what is fetched: TLS, or this machine itself."""
    if any(character <= " " or character in "\\@#" for character in url):
        return False
    if url.startswith("https://") and len(url) > len("https://"):
        return True
    return any(url == place or url.startswith((f"{place}:", f"{place}/")) for place in _LOCAL)


def parse_client(data: bytes, *, source: str) -> Client:
    """Parse `oidc.json`: issuer, client id, the console's address, and a secret unless the client is public."""
    match digest.loads(data, source=source):
        case {"issuer": str() as issuer, "clientId": str() as client, "console": str() as console, **more} if (
            more.keys() <= {"clientSecret"}
        ):
            secret = more.get("clientSecret", "")
        case _:
            raise MalformedInput("it holds issuer, clientId, console and, unless public, clientSecret", source=source)
    if not is_private(issuer) or not is_private(console) or issuer.endswith("?"):
        raise MalformedInput("issuer and console begin with https://, or with http:// for this machine", source=source)
    if not isinstance(secret, str) or len(secret) > 1024:
        raise MalformedInput("clientSecret is text", source=source)
    return Client(
        checked_name(issuer, "an issuer"), checked_name(client, "a client id"), console.rstrip("/") + CALLBACK, secret
    )


def parse(data: bytes, *, issuer: str) -> Metadata:
    """Parse a discovery document; raise where it is another provider's or offers none of our algorithms."""
    document = digest.loads(data, source="the provider's metadata")
    match document:
        case {
            "issuer": str() as named,
            "authorization_endpoint": str() as authorization,
            "token_endpoint": str() as token,
            "jwks_uri": str() as jwks,
        }:
            pass
        case _:
            raise MalformedInput(
                "the provider's metadata lacks issuer, authorization_endpoint, token_endpoint or jwks_uri"
            )
    if named != issuer:
        raise VerificationFailed("the provider's metadata is of another issuer than the one that is configured")
    for url in (authorization, token, jwks):
        if not is_private(url) or (issuer.startswith("https://") and not url.startswith("https://")):
            raise VerificationFailed("an endpoint of the provider is neither https nor on this machine with the issuer")
    offered = document.get("id_token_signing_alg_values_supported", list(ALGORITHMS))
    if not isinstance(offered, list) or not set(map(str, offered)) & set(ALGORITHMS):
        raise VerificationFailed(f"the provider signs with none of {', '.join(ALGORITHMS)}")
    return Metadata(
        named,
        authorization,
        token,
        jwks,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def parse_keys(data: bytes) -> list[dict[str, Any]]:
    """Parse a set of keys: those that could sign one of our algorithms."""
    match digest.loads(data, source="the provider's keys"):
        case {"keys": list() as keys} if len(keys) <= MAX_KEYS:
            return [key for key in keys if isinstance(key, dict) and _signs(key)]
        case _:
            raise MalformedInput(f"the provider's keys are a list of at most {MAX_KEYS}")


def _signs(key: dict[str, Any]) -> bool:
    return (
        (key.get("kty") == "RSA" or (key.get("kty") == "EC" and key.get("crv") == "P-256"))
        and key.get("use", "sig") == "sig"
        and "d" not in key
    )


def parse_token_answer(data: bytes) -> str:
    """Return the ID token of a token endpoint's answer."""
    match digest.loads(data, source="the provider's answer"):
        case {"id_token": str() as token} if len(token) <= MAX_DOCUMENT:
            return token
        case _:
            raise MalformedInput("the provider's answer holds no ID token")

"""Check an ID token: signature, issuer, audience, times, nonce. Pure."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import extract_compact

from ringfence.identity.federation.model import ALGORITHMS, SKEW, TOKEN_AGE, Client, checked_name
from ringfence.kernel.errors import MalformedInput, NotFound, VerificationFailed

MIN_MODULUS = 342  # characters of base64url: 2048 bits
MAX_TOKEN = 16 * 2**10


def verify(token: str, keys: Sequence[Mapping[str, Any]], client: Client, *, nonce: str, at: datetime) -> str:
    """Return the subject that the provider vouches for.

    Raises:
        NotFound: no key of the set is the one that is named; a fresh set may hold it.
        VerificationFailed: anything about the token is not as it must be.
    """
    claims = _signed(token, keys)
    _check_parties(claims, client)
    _check_times(claims, at)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise VerificationFailed("the ID token answers another login (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise VerificationFailed("the ID token names no subject")
    try:
        return checked_name(subject, "a subject")
    except MalformedInput as error:
        raise VerificationFailed(str(error)) from error


def _signed(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
        raise VerificationFailed("the provider's answer is no signed ID token")
    if any(key.get("kty") == "RSA" and len(str(key.get("n", ""))) < MIN_MODULUS for key in keys):
        raise VerificationFailed("a key of the provider is shorter than 2048 bits")
    try:
        known = KeySet([_imported(key) for key in keys])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise VerificationFailed("a key of the provider is not a key") from error
    try:
        return dict(_decoded(token, known).claims)
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError, RecursionError) as error:
        raise VerificationFailed("the ID token is not signed by a key of the provider, by RS256 or ES256") from error


def _decoded(token: str, known: KeySet) -> Any:
    try:
        kid = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError, UnicodeError, RecursionError) as error:
        raise VerificationFailed("the ID token's header cannot be read") from error
    if not known.keys or (kid is not None and kid not in {key.kid for key in known.keys}):
        raise NotFound("the ID token names a key that the provider did not publish")
    return jwt.decode(token, known, algorithms=list(ALGORITHMS))


def _imported(key: Mapping[str, Any]) -> RSAKey | ECKey:
    # Each algorithm gets the kind of key that it is for: a public key is never taken for a shared secret.
    return RSAKey.import_key(dict(key)) if key.get("kty") == "RSA" else ECKey.import_key(dict(key))


def _check_parties(claims: Mapping[str, Any], client: Client) -> None:
    if claims.get("iss") != client.issuer:
        raise VerificationFailed("the ID token is of another issuer")
    audience = claims.get("aud")
    parties = [audience] if isinstance(audience, str) else audience
    if not isinstance(parties, list) or client.client_id not in parties:
        raise VerificationFailed("the ID token is for another client (aud)")
    authorised = claims.get("azp")
    if authorised is None and len(parties) == 1:
        return
    if authorised != client.client_id:
        raise VerificationFailed("the ID token was issued to another client (azp)")


def _check_times(claims: Mapping[str, Any], at: datetime) -> None:
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    if at >= expires + SKEW:
        raise VerificationFailed("the ID token has expired")
    if issued > at + SKEW:
        raise VerificationFailed("the ID token is dated into the future; compare the clocks")
    if at - issued > TOKEN_AGE + SKEW:
        raise VerificationFailed("the ID token is older than a login takes")
    if "nbf" in claims and _instant(claims, "nbf") > at + SKEW:
        raise VerificationFailed("the ID token is not valid yet")


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**38:
        raise VerificationFailed(f"the ID token says no time in {name}")
    return datetime.fromtimestamp(value, tz=UTC)

"""A token is believed only when every part of it is right: each case is one thing wrong."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ringfence.identity.federation.idtoken import verify
from ringfence.identity.federation.model import Client
from ringfence.kernel.errors import NotFound, RingfenceError, VerificationFailed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLIENT = Client("https://id.example", "ringfence", "http://localhost:8400/login/oidc/callback", "s")
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"}, private=True)
EC = ECKey.generate_key("P-256", parameters={"kid": "ec"}, private=True)
STRANGE = RSAKey.generate_key(2048, parameters={"kid": "rsa"}, private=True)
KEYS = [RSA.as_dict(private=False), EC.as_dict(private=False)]
SECONDS = int(NOW.timestamp())
CLAIMS = {
    "iss": CLIENT.issuer,
    "sub": "ada",
    "aud": "ringfence",
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": "n",
}


def token(key=RSA, algorithm="RS256", **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def subject(text, keys=KEYS, nonce="n", at=NOW):
    return verify(text, keys, CLIENT, nonce=nonce, at=at)


def test_a_right_token_names_its_subject():
    assert subject(token()) == "ada"
    assert subject(token(EC, "ES256")) == "ada"
    assert subject(token(aud=["ringfence", "other"], azp="ringfence")) == "ada"
    assert subject(token(exp=SECONDS - 59)) == "ada"  # within the skew


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"iss": CLIENT.issuer + "/"},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["ringfence", "other"]},  # several, and nobody authorised
        {"aud": ["ringfence", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": SECONDS - 60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": None},
        {"iat": SECONDS + 61},
        {"iat": SECONDS - 661},
        {"nbf": SECONDS + 61},
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": 1},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
)
def test_one_wrong_claim_is_enough(changes):
    with pytest.raises(VerificationFailed):
        subject(token(**changes))


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned():
    return f"{part({'alg': 'none'})}.{part(CLAIMS)}."


def confused():
    """Signed by HMAC with the public key, which everybody knows, as the secret."""
    text = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{part(CLAIMS)}"
    return f"{text}.{part(hmac.digest(RSA.as_pem(private=False), text.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    "made",
    [
        unsigned,
        confused,
        lambda: token(STRANGE),  # another key under the name of a published one
        lambda: token(RSA, "RS384"),
        lambda: token(RSA, "PS256"),
        lambda: token() + "x",
        lambda: token()[:-4],
        lambda: token().replace(".", ".e30.", 1),
        lambda: "",
        lambda: "a.b.c",
        lambda: "x" * 20_000,
        lambda: "ä.b.c",
    ],
)
def test_what_the_provider_did_not_sign_so_is_refused(made):
    with pytest.raises(VerificationFailed):
        subject(made())


def test_a_short_key_of_the_provider_is_not_believed():
    with pytest.raises(VerificationFailed, match="2048"):
        subject(token(), [*KEYS, RSA.as_dict(private=False) | {"n": RSA.as_dict()["n"][:171]}])


def test_an_unknown_key_may_be_a_fresh_one():
    with pytest.raises(NotFound):
        subject(token(EC, "ES256"), [RSA.as_dict(private=False)])
    with pytest.raises(NotFound):
        subject(token(), [])


def test_a_broken_key_of_the_provider_is_named():
    with pytest.raises(VerificationFailed, match="not a key"):
        subject(token(), [{"kty": "EC", "crv": "P-256", "kid": "rsa", "x": "AA", "y": "AA"}])


@given(st.text(max_size=200), st.integers(0, 400), st.integers(1, 255))
def test_no_text_and_no_changed_byte_is_believed_or_breaks_it(text, place, change):
    good = token().encode()
    place %= len(good)
    changed = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
    for made in (text, changed.decode("latin-1")):
        try:
            found = subject(made)
        except RingfenceError:
            continue
        # base64url's last digit holds unused bits: the same bytes, signed by the provider
        assert (found, place >= len(good) - 1) == ("ada", True)


def test_time_is_what_the_caller_says():
    with pytest.raises(VerificationFailed, match="expired"):
        subject(token(), at=NOW + timedelta(hours=1))

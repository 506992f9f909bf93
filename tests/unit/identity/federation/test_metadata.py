import json

import pytest

from ringfence.identity.federation import metadata
from ringfence.kernel.errors import MalformedInput, RingfenceError, VerificationFailed

ISSUER = "https://id.example"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "id_token_signing_alg_values_supported": ["RS256", "none"],
}
CLIENT = {"issuer": ISSUER, "clientId": "ringfence", "console": "https://console.example", "clientSecret": "s"}


def parsed(**changes):
    return metadata.parse(json.dumps(DOCUMENT | changes).encode(), issuer=ISSUER)


def test_a_provider_is_what_it_says():
    found = parsed(authorization_response_iss_parameter_supported=True)
    assert (found.token_endpoint, found.names_itself) == (f"{ISSUER}/token", True)
    assert parsed().names_itself is False


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"issuer": ISSUER + "/"},
        {"token_endpoint": "http://id.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "https://user@evil.example/"},
        {"jwks_uri": "http://localhost.evil.example/jwks"},
        {"token_endpoint": "http://127.0.0.1.evil.example/"},
        {"jwks_uri": "http://127.0.0.1:8400/api/v1/me"},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ],
)
def test_what_is_not_the_provider_or_not_private_is_refused(changes):
    with pytest.raises(VerificationFailed):
        parsed(**changes)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"issuer":1}', b"\xff", b"[" * 5000])
def test_other_documents_are_none(data):
    with pytest.raises(RingfenceError):
        metadata.parse(data, issuer=ISSUER)


def test_keys_of_other_kinds_and_private_ones_are_left_out():
    keys = [
        {"kty": "RSA", "kid": "a"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "b", "d": "x"},
        {"kty": "EC", "crv": "P-384"},
        {"kty": "EC", "crv": "P-256", "use": "enc"},
        "x",
    ]
    assert metadata.parse_keys(json.dumps({"keys": keys}).encode()) == [{"kty": "RSA", "kid": "a"}]


@pytest.mark.parametrize("data", [b"{}", b'{"keys":{}}', json.dumps({"keys": [{}] * 33}).encode()])
def test_other_sets_of_keys_are_none(data):
    with pytest.raises(MalformedInput):
        metadata.parse_keys(data)


@pytest.mark.parametrize("data", [b"{}", b'{"id_token":1}', b'{"id_token":"' + b"x" * 70000 + b'"}', b"no"])
def test_other_answers_hold_no_token(data):
    with pytest.raises(RingfenceError):
        metadata.parse_token_answer(data)


def test_the_settings_name_issuer_client_and_console():
    found = metadata.parse_client(json.dumps(CLIENT).encode(), source="oidc.json")
    assert found.redirect_uri == "https://console.example/login/oidc/callback"


@pytest.mark.parametrize(
    "changes",
    [{"issuer": "http://id.example"}, {"console": "ftp://x"}, {"clientId": ""}, {"clientSecret": 1}, {"more": 1}],
)
def test_other_settings_are_named(changes):
    with pytest.raises(MalformedInput):
        metadata.parse_client(json.dumps(CLIENT | changes).encode(), source="oidc.json")

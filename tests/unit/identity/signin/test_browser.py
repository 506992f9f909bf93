import pytest
from pydantic import ValidationError

from ringfence.identity.signin.browser import Asserted, NewCredential

RESPONSE = {"clientDataJSON": "AAAA", "attestationObject": "AAAA", "transports": ["usb"]}
NEW = {"id": "AAAA", "name": "key", "response": RESPONSE}
SIGNED = {"id": "AAAA", "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"}}


def test_what_a_browser_sends_is_read():
    assert NewCredential.model_validate(NEW).parsed().transports == ("usb",)
    assert Asserted.model_validate(SIGNED).parsed().user_handle is None


def test_a_name_is_one_line_of_letters():
    assert NewCredential.model_validate(NEW | {"name": " a\x00\x1b[31mb\n"}).parsed().name == "a[31mb"
    assert NewCredential.model_validate(NEW | {"name": "\n"}).parsed().name == "passkey"


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (NewCredential, NEW | {"name": ""}),
        (NewCredential, NEW | {"name": "x" * 65}),
        (NewCredential, NEW | {"more": 1}),
        (NewCredential, NEW | {"id": "a+b/"}),
        (NewCredential, NEW | {"response": RESPONSE | {"attestationObject": "A" * 8193}}),
        (NewCredential, NEW | {"response": RESPONSE | {"transports": ["usb"] * 9}}),
        (Asserted, SIGNED | {"id": 1}),
        (Asserted, SIGNED | {"id": "A" * 1401}),
        (Asserted, {"id": "AAAA"}),
        (Asserted, SIGNED | {"response": SIGNED["response"] | {"signature": None}}),
        (Asserted, SIGNED | {"response": SIGNED["response"] | {"extra": ""}}),
    ],
)
def test_anything_else_is_refused(model, body):
    with pytest.raises(ValidationError):
        model.model_validate(body)

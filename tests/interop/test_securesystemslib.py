"""Every statement of a log is a DSSE envelope that a library of others takes, and refuses once it is changed."""

import base64
import json

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from ringfence.testing.home import TENANT


def public_key(issuer):
    return SSlibKey(issuer.key, "ed25519", "ed25519", {"public": issuer.public_key.hex()})


@pytest.fixture
def logged(services):
    services.identity.record_register(TENANT)
    services.ledger.integrate()
    found = services.ledger.statements(TENANT)
    assert {one.issuer.role.value for one in found} == {"root", "control-plane"}
    return found


def test_it_verifies_every_statement_of_the_log(logged):
    for one in logged:
        Envelope.from_dict(json.loads(one.envelope.data)).verify([public_key(one.issuer)], 1)


def test_it_refuses_a_changed_statement_and_another_key(logged):
    first, other = logged[0], next(one for one in logged if one.issuer.key != logged[0].issuer.key)
    changed = json.loads(first.envelope.data)
    payload = base64.b64decode(changed["payload"]).replace(b'"tenant":"', b'"tenant":"x')
    changed["payload"] = base64.b64encode(payload).decode()
    for document, key in ((changed, first.issuer), (json.loads(first.envelope.data), other.issuer)):
        with pytest.raises(VerificationError):
            Envelope.from_dict(document).verify([public_key(key)], 1)

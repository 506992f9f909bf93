"""The published receipt, checked by Ringfence and by an implementation of the specification that shares no code."""

import base64
import hashlib
import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.ledger import trust
from ringfence.reports.receipts import verify

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "specs" / "vectors" / "receipt"
REQUEST, RESPONSE = (FOLDER / name for name in ("request", "response"))


@pytest.fixture(scope="module")
def script():
    """The auditors' script: it knows checkpoints, DSSE and inclusion, and imports nothing of ours."""
    spec = importlib.util.spec_from_file_location("verify_pack_of_receipts", DOCS / "auditors" / "verify_pack.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def document():
    return json.loads((FOLDER / "receipt.json").read_bytes())


def dump(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def committed(text):
    return bytes.fromhex(text.removeprefix("sha256:"))


def signed(envelope, public):
    payload = base64.b64decode(envelope["payload"])
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)
    return json.loads(payload)


def included(script, leaf, index, size, path, root):
    found = sha256(b"\x00", leaf)
    for item, left in script.climb(index, size - 1, [base64.b64decode(hop) for hop in path]):
        found = sha256(b"\x01", item, found) if left else sha256(b"\x01", found, item)
    assert found == root


def entry(place, envelope):
    at = datetime.fromisoformat(place["recordedAt"]) - datetime(1970, 1, 1, tzinfo=UTC)
    return (
        b"\x01"
        + (at.days * 86_400_000 + at.seconds * 1000 + at.microseconds // 1000).to_bytes(8, "big")
        + sha256(dump(envelope))
    )


def checked(script, document, trusted, request, response):
    """Do the steps of docs/specs/receipt.md, section 3."""
    log, segment, record = document["log"], document["segment"], document["record"]
    size, root = script.open_head(log["checkpoint"], trusted["log"], trusted["logKeys"])
    enrolment = signed(log["enrolment"]["envelope"], base64.b64decode(trusted["root"]))
    claims = enrolment["predicate"]["claims"]
    assert claims["role"] == "gateway"
    closing = signed(segment["envelope"], base64.b64decode(claims["publicKey"]))
    for place, envelope in ((log["segment"], segment["envelope"]), (log["enrolment"], log["enrolment"]["envelope"])):
        included(script, entry(place, envelope), place["entry"], size, place["proof"], root)
    count = closing["predicate"]["claims"]["records"]
    top = bytes.fromhex(closing["subject"][0]["digest"]["sha256"])
    included(script, dump(record), segment["index"], count, segment["path"], top)
    salt = base64.b64decode(document["opening"]["salt"])
    chain = sha256(b"ringfence-stream-v1\n", salt)
    for event in response.split(b"\n\n")[:-1]:
        chain = sha256(chain, event + b"\n\n")
    assert committed(record["admitted"]["opening"]) == sha256(b"ringfence-opening-v1\n", salt)
    assert committed(record["admitted"]["request"]) == sha256(salt, request)
    assert committed(record["finished"]["response"]) == sha256(salt, response)
    assert committed(record["finished"]["chain"]) == chain


def test_the_published_receipt_is_verified():
    trusted = trust.parse((FOLDER / "trust.json").read_bytes())
    outcome = verify(
        (FOLDER / "receipt.json").read_bytes(),
        trusted,
        request=REQUEST.read_bytes(),
        response=RESPONSE.read_bytes(),
    )
    assert outcome.ok, outcome.failures


def test_another_implementation_of_the_specification_agrees(script, document):
    trusted = json.loads((FOLDER / "trust.json").read_bytes())
    checked(script, document, trusted, REQUEST.read_bytes(), RESPONSE.read_bytes())


def test_and_sees_a_changed_record_too(script, document):
    trusted = json.loads((FOLDER / "trust.json").read_bytes())
    document["record"]["finished"]["completionTokens"] += 1
    with pytest.raises(AssertionError):
        checked(script, document, trusted, REQUEST.read_bytes(), RESPONSE.read_bytes())

"""Models signed by a library of others, as DSSE envelopes over in-toto statements: taken as they stand, or refused."""

import base64
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from ringfence.artifacts.models.keys import parse_public
from ringfence.artifacts.models.oms import Trust
from ringfence.artifacts.models.store import check_model
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import parse
from ringfence.kernel.errors import MalformedInput, RingfenceError, UsageError, VerificationFailed
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.home import signed

FILES = {"config.json": b"{}", "w/1.bin": b"w" * 70_000, "é.txt": b"e"}
IN_TOTO = "application/vnd.in-toto+json"
CURVES = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module", params=CURVES)
def signer(request):
    return CryptoSigner.generate_ecdsa(scheme=request.param)


@pytest.fixture(scope="module")
def p256():
    return CryptoSigner.generate_ecdsa()


def statement(files=None, **changes):
    """Print what is signed, in a way that is not ours: wide, and in an order of its own."""
    digests = {name: sha256(data).hexdigest() for name, data in sorted((files or FILES).items())}
    root = sha256(b"".join(bytes.fromhex(one) for one in digests.values())).hexdigest()
    resources = [{"digest": one, "name": name, "algorithm": "sha256"} for name, one in digests.items()]
    document = {
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": resources,
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        },
        "subject": [{"digest": {"sha256": root}, "name": "theirs"}],
        "_type": "https://in-toto.io/Statement/v1",
    }
    return json.dumps(document | changes, indent=3, ensure_ascii=False).encode()


def bundle(payload, *signers, kind=IN_TOTO, hint=None):
    """Let them sign, and put their envelope into a bundle."""
    envelope = Envelope(payload, kind, {})
    for each in signers:
        envelope.sign(each)
    known = hint or sha256(pem(signers[0]).encode()).hexdigest()
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": known}, "tlogEntries": []},
        "dsseEnvelope": envelope.to_dict(),
    }


def pem(signer):
    return signer.public_key.keyval["public"].strip() + "\n"


def trusted(signer):
    return Trust([parse_public(pem(signer).encode())])


def checked(model, document, signer):
    return check_model(model, trusted(signer), bundle=json.dumps(document).encode())


def test_their_signature_over_each_curve_is_taken(model, signer):
    done = checked(model, bundle(statement(), signer), signer)
    assert set(done.files.files) == set(FILES)
    assert done.size == sum(map(len, FILES.values()))


def test_one_bit_anywhere_is_refused(model, signer):
    document = bundle(statement(), signer)
    for part in ("payload", "sig"):
        held = document["dsseEnvelope"] if part == "payload" else document["dsseEnvelope"]["signatures"][0]
        data = base64.b64decode(held[part])
        for place in range(0, len(data), 37):
            changed = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
            with pytest.raises(VerificationFailed):
                checked(model, changed_in(document, part, changed), signer)


def changed_in(document, part, data):
    copy = json.loads(json.dumps(document))
    held = copy["dsseEnvelope"] if part == "payload" else copy["dsseEnvelope"]["signatures"][0]
    held[part] = base64.b64encode(data).decode()
    return copy


def test_a_payload_of_another_type_is_refused_signed_or_relabelled(model, p256):
    for kind in ("application/vnd.in-toto", "application/json", "", "application/vnd.in-toto+json; v=1"):
        honest = bundle(statement(), p256, kind=kind)  # its maker says what it is, and signs that
        with pytest.raises(MalformedInput):
            checked(model, honest, p256)
        honest["dsseEnvelope"]["payloadType"] = IN_TOTO  # the signature covers the type that it was made over
        with pytest.raises(VerificationFailed):
            checked(model, honest, p256)


@pytest.mark.parametrize(
    "changes",
    [
        {"predicateType": "https://slsa.dev/provenance/v1"},
        {"predicateType": "https://model_signing/Digests/v0.1"},
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "a", "digest": {"sha256": "0" * 64}}]},
        {"subject": [{"name": "a", "digest": {"sha512": "0" * 128}}]},
        {"predicate": {}},
    ],
    ids=["provenance", "before 1.0", "before v1", "no subject", "another root", "another hash", "no files"],
)
def test_another_statement_is_no_signature_of_a_model_however_well_it_is_signed(model, p256, changes):
    with pytest.raises(RingfenceError):
        checked(model, bundle(statement(**changes), p256), p256)


def test_more_than_one_signature_and_none_are_refused(model, p256):
    other = CryptoSigner.generate_ecdsa()
    for signers in ((p256, other), (other, p256)):
        with pytest.raises(MalformedInput, match="exactly one signature"):
            checked(model, bundle(statement(), *signers), p256)
    empty = bundle(statement(), p256)
    empty["dsseEnvelope"]["signatures"] = []
    with pytest.raises(MalformedInput, match="exactly one signature"):
        checked(model, empty, p256)


def test_a_stranger_is_refused_also_under_the_hint_of_a_key_that_counts(model, p256):
    stranger = CryptoSigner.generate_ecdsa()
    with pytest.raises(VerificationFailed, match="not among those"):
        checked(model, bundle(statement(), stranger), p256)
    hint = sha256(pem(p256).encode()).hexdigest()
    with pytest.raises(VerificationFailed, match="does not match"):
        checked(model, bundle(statement(), stranger, hint=hint), p256)


def test_what_lies_there_is_what_they_signed_and_nothing_more(model, p256):
    document = bundle(statement(), p256)
    (model / "more").touch()
    with pytest.raises(VerificationFailed, match="not signed"):
        checked(model, document, p256)
    (model / "more").unlink()
    with pytest.raises(VerificationFailed, match="missing"):
        checked(model, bundle(statement(FILES | {"more": b""}), p256), p256)
    for escape in ("../config.json", "/config.json", "w/../config.json"):
        with pytest.raises(RingfenceError):
            checked(model, bundle(statement(FILES | {escape: b"{}"}), p256), p256)
    (model / "config.json").write_bytes(b"[]")
    with pytest.raises(VerificationFailed, match=r"config\.json"):
        checked(model, document, p256)


def test_keys_with_which_oms_signs_no_models_are_named_as_that(model, p256):
    """OMS 1.0 knows elliptic curves; Ed25519 and RSA are refused as keys, and as signatures under a hint of ours."""
    hint = sha256(pem(p256).encode()).hexdigest()
    for other in (CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa()):
        key = other._private_key.public_key()
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(UsageError, match="P-256"):
            parse_public(key.public_bytes(*form))
        with pytest.raises(VerificationFailed, match="does not match"):
            checked(model, bundle(statement(), other, hint=hint), p256)


def test_the_ledger_takes_the_statement_that_they_sign_with_a_person_s_key(services, home):
    person = home.people[Role.ENGINEER]
    ours, _ = signed(services, person, a_draft())
    key = Ed25519PrivateKey.from_private_bytes(person.seed)
    theirs = CryptoSigner(key, SSlibKey.from_crypto(key.public_key(), keyid=person.signer.key))

    def printed(kind=IN_TOTO):
        envelope = Envelope(ours.payload, kind, {})
        envelope.sign(theirs)
        return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode()

    assert printed() == ours.data  # Ed25519 leaves nothing to choose, and the form is one
    assert parse(printed()).verify(key.public_key().public_bytes_raw()) == ours.statement
    with pytest.raises(MalformedInput):
        parse(printed("application/json"))
    relabelled = parse(printed("application/json").replace(b"application/json", IN_TOTO.encode()))
    with pytest.raises(VerificationFailed):
        relabelled.verify(key.public_key().public_bytes_raw())


def a_draft():
    from ringfence.kernel.digest import Digest

    subject = Subject("dataset/" + "0" * 32, Digest.of(b"seal"))
    return Draft(PredicateName("dataset.opened"), (subject,), {"epoch": 1}, Strength.OBSERVED)

"""Check what people signed with passkeys: called by verify_pack.py beside it, for records by or about passkeys.

Steps: docs/specs/signed-act.md, section 4. Needs Python 3.11 and `cryptography`, nothing else. Take this
file from where you took verify_pack.py. Shown: an authenticator whose enrolment the pack holds signed exactly this
statement, on the one page that the enrolment names, after it had recognised its holder. Not shown: who that holder
is, and what the page told them they were signing.
"""

import base64
import hashlib
import json
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ALGORITHM, POINT, DATA, SIGNATURE, CLIENT = "webauthn-es256", 65, 37, 64, 2048
CLAIMS = {"algorithm", "custody", "publicKey", "role", "validFrom", "validUntil"}
CLAIMS |= {"enrolledBy", "origin", "person", "rpId"}
HALF = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2  # of the order of P-256
HOST = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"


def ensure(holds, reason):
    if not holds:
        raise ValueError(reason)


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    ensure(base64.b64encode(data).decode() == text, "bad base64")
    return data


def once(pairs):  # a name that stands twice would be read in two ways
    found = dict(pairs)
    ensure(len(found) == len(pairs), "a name stands twice in the browser's part")
    return found


def never(text):
    raise ValueError(f"{text} is no integer")


def check(record, key, signed):
    """Check a record that a passkey signed, or that enrols one; `key` is what the pack says of the key that signed."""
    if key.get("algorithm") == ALGORITHM:
        check_assertion(record.signature, signed, key)
    else:
        Ed25519PublicKey.from_public_bytes(key["public"]).verify(record.signature, signed)
    if record.name == "key.enrolled":
        check_enrolment(record.claims, key)


def check_enrolment(claims, enroller):
    ensure(claims.keys() == CLAIMS and claims["algorithm"] == ALGORITHM, "it enrols no passkey, and is not by the root")
    ensure(claims["role"] == "operator" and claims["custody"] == "authenticator", "a passkey signs as an operator")
    point = unbase64(claims["publicKey"])
    ensure(len(point) == POINT and point[0] == 4, "it is no point of P-256")
    ensure(re.fullmatch("person-[0-9a-f]{12}", claims["person"]), "it names no person")
    ensure(re.fullmatch(HOST, claims["rpId"]), "it names no site")
    found = re.fullmatch(rf"https?://({HOST})(?::[1-9][0-9]{{0,4}})?", claims["origin"])
    ensure(found and f".{found[1]}".endswith(f".{claims['rpId']}"), "its page is not one of its site")
    by_root = enroller["role"] == "root"
    ensure(by_root or enroller["person"] == claims["person"], "another person's key enrolled the passkey")
    ensure(claims["enrolledBy"] == ("root" if by_root else claims["person"]), "it names somebody else as enroller")


def check_assertion(blob, signed, key):
    """Check the authenticator's answer, which stands where a signature stands elsewhere."""
    ensure(DATA + SIGNATURE < len(blob) <= DATA + SIGNATURE + CLIENT, "it is no answer of an authenticator")
    data, signature, client = blob[:DATA], blob[DATA : DATA + SIGNATURE], blob[DATA + SIGNATURE :]
    ensure(data[:32] == hashlib.sha256(key["rpId"].encode()).digest(), "the passkey signed for another site")
    ensure(data[32] & 0x05 == 0x05, "the passkey does not say that its holder was present and verified")
    ensure(data[32] & 0x18 != 0x10, "the passkey says that it was copied, and that it cannot be")
    ensure(data[32] & ~0x1D == 0, "the passkey returned more than was asked of it")
    said = json.loads(client.decode(), object_pairs_hook=once, parse_float=never, parse_constant=never)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(signed).digest()).decode().rstrip("=")
    ensure(said["type"] == "webauthn.get", "the browser was asked for something else than a signature")
    ensure(said["challenge"] == challenge, "the passkey signed another statement")
    ensure(said["origin"] == key["origin"], "the passkey signed on another page")
    ensure(said.get("crossOrigin", False) is False and "topOrigin" not in said, "it signed inside another site's page")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    ensure(s <= HALF, "the signature is not in its one byte form")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key["public"])
    proven = data + hashlib.sha256(client).digest()
    public.verify(encode_dss_signature(r, s), proven, ec.ECDSA(hashes.SHA256()))

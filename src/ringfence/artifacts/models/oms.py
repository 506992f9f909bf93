"""OMS v1.0 bundles, `files` method, `key` signing: write and read (docs/specs/model-signature.md).

A bundle is a Sigstore bundle around a DSSE envelope around an in-toto statement. What is signed are bytes: they are
checked as they were read and never printed again.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringfence.artifacts.models.keys import PublicKey, SigningKey
from ringfence.artifacts.models.model import MAX_FILES, Manifest, Resource
from ringfence.artifacts.models.names import IGNORABLE, check_ignored, check_name, check_names, left_out
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import PAYLOAD_TYPE, pae
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
MAX_BUNDLE = 64 * 2**20
_OLD_PREDICATE = "https://model_signing/Digests/v0.1"


def manifest_of(title: str, files: Mapping[str, Digest]) -> Manifest:
    """Return the manifest of files by name, in the order that OMS demands; raise `UsageError` where there is none."""
    if not 1 <= len(files) <= MAX_FILES:
        raise UsageError(f"a model has 1 to {MAX_FILES} files, not {len(files)}")
    names = sorted(map(check_name, files))  # by code point, as OMS 5.2.1 has it
    check_names(names)
    resources = tuple(Resource(name, files[name]) for name in names)
    return Manifest(title, resources, root_of(resources))


def root_of(resources: Iterable[Resource]) -> Digest:
    """Return the OMS root digest: over the digests in their order."""
    return Digest.of(b"".join(resource.digest.value for resource in resources))


def sign(manifest: Manifest, key: SigningKey) -> bytes:
    """Return the bundle of a manifest."""
    payload = digest.dumps(
        {
            "_type": STATEMENT,
            "subject": [{"name": manifest.title or "model", "digest": {"sha256": manifest.root.hex}}],
            "predicateType": PREDICATE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": sorted(IGNORABLE),
                },
                "resources": [
                    {"name": resource.name, "algorithm": "sha256", "digest": resource.digest.hex}
                    for resource in manifest.files
                ],
            },
        }
    )
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(key.sign(pae(payload))).decode(), "keyid": ""}],
    }
    material = {"publicKey": {"hint": key.public.hint}, "tlogEntries": []}
    return digest.dumps({"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope})


def verify(bundle: bytes, trusted: Sequence[PublicKey], *, source: str = "") -> tuple[Manifest, PublicKey]:
    """Return the manifest that one of the `trusted` keys signed, and which one; or raise.

    Raises:
        MalformedInput: this is no bundle of the kinds that are read here.
        VerificationFailed: no trusted key signed it, or it signs something that is not accepted.
    """
    document = digest.loads(bundle, source=source, limit=MAX_BUNDLE)
    try:
        hint = _hint(document)
        payload, signature = _signed(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error
    key = _signer(payload, signature, hint, trusted)
    return _manifest(payload, source), key


def _hint(document: Any) -> str:
    """Return which key the bundle names; bundles from before 1.1.0 of the reference tool name none."""
    match document:
        case {"mediaType": str() as kind, "verificationMaterial": dict() as material}:
            pass
        case _:
            raise MalformedInput("not a Sigstore bundle: it has no media type or no verification material")
    if kind != MEDIA_TYPE:
        raise MalformedInput(f"the bundle is of type {kind[:80]!r}, not {MEDIA_TYPE}")
    match material:
        case {"publicKey": {"hint": str() as hint}, **rest} if rest.keys() <= {"tlogEntries"}:
            return hint
        case {"publicKey": {"rawBytes": str()}, **rest} if rest.keys() <= {"tlogEntries"}:
            return ""
        case {"certificate": _} | {"x509CertificateChain": _}:
            raise MalformedInput("the bundle is signed with a certificate; only bundles signed with a key are read")
        case _:
            raise MalformedInput("the bundle names no public key")


def _signed(document: Any) -> tuple[bytes, bytes]:
    match document.get("dsseEnvelope"):
        case {"payload": str() as payload, "payloadType": str() as kind, "signatures": [{"sig": str() as signature}]}:
            pass
        case _:
            raise MalformedInput("the bundle holds no DSSE envelope with exactly one signature")
    if kind != PAYLOAD_TYPE:
        raise MalformedInput(f"the bundle signs {kind[:80]!r}, not an in-toto statement")
    try:
        return base64.b64decode(payload, validate=True), base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"bad base64 in the bundle: {error}") from error


def _signer(payload: bytes, signature: bytes, hint: str, trusted: Sequence[PublicKey]) -> PublicKey:
    candidates = [key for key in trusted if hint in {"", key.hint}]
    if not candidates:
        named = f"key {hint[:16]!r}…" if hint else "a key"
        raise VerificationFailed(f"the model is signed with {named}, which is not among those that are trusted here")
    for key in candidates:
        try:
            key.verify(signature, pae(payload))
        except VerificationFailed:
            continue
        return key
    raise VerificationFailed("the signature does not match the manifest: one of them was changed")


def _manifest(payload: bytes, source: str) -> Manifest:
    try:
        document = digest.loads(payload, source=source, limit=MAX_BUNDLE)
    except MalformedInput as error:
        if b'"shards"' in payload:  # their sizes may be printed as 67108864.0, which strict JSON has no room for
            raise _sharded() from error
        raise
    match document:
        case {"predicateType": found} if found == _OLD_PREDICATE:
            raise VerificationFailed("the bundle is of the format before OMS 1.0, which is not read; sign again")
        case {
            "_type": kind,
            "subject": [{"name": str() as title, "digest": {"sha256": str() as root}}],
            "predicateType": str() as predicate,
            "predicate": {"resources": list() as resources, "serialization": dict() as serialization},
        } if kind == STATEMENT and title:
            pass
        case _:
            raise MalformedInput("what is signed is not an OMS statement about one model", source=source)
    if predicate != PREDICATE:
        raise VerificationFailed(f"what is signed is {predicate[:80]!r}, not a model's signature")
    _check_serialization(serialization)
    return _checked(title, root, resources)


def _sharded() -> VerificationFailed:
    return VerificationFailed(
        "the bundle signs shards of files; only the files method is read, since a shard cannot be proven before it is"
        " used: sign again with the files method"
    )


def _check_serialization(serialization: Mapping[str, Any]) -> None:
    if serialization.get("method") == "shards":
        raise _sharded()
    if serialization.get("method") != "files" or serialization.get("hash_type") != "sha256":
        raise VerificationFailed("the bundle does not sign files by SHA-256, the one way that is read; sign again")
    if serialization.get("allow_symlinks") is not False:
        raise VerificationFailed("the bundle was signed through symbolic links; links are not followed: sign again")
    ignored = serialization.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(path, str) for path in ignored):
        raise MalformedInput("ignore_paths of the bundle is not a list of names")
    check_ignored(ignored)


def _checked(title: str, root: str, values: list[Any]) -> Manifest:
    if not 1 <= len(values) <= MAX_FILES:
        raise MalformedInput(f"a model has 1 to {MAX_FILES} files, not {len(values)}")
    resources = tuple(map(_resource, values))
    check_names(resource.name for resource in resources)
    odd = next((resource.name for resource in resources if left_out(resource.name)), None)
    if odd is not None:
        raise VerificationFailed(f"the bundle signs {odd!r}, which is no part of a model: sign again without that file")
    if root_of(resources) != Digest.parse(root):
        raise VerificationFailed("the root digest of the bundle is not that of its files")
    return Manifest(title, resources, root_of(resources))


def _resource(value: Any) -> Resource:
    match value:
        case {"name": str() as name, "algorithm": "sha256", "digest": str() as text} if len(text) == 2 * 32:
            return Resource(check_name(name), Digest.parse(text))
        case {"algorithm": str() as algorithm} if algorithm != "sha256":
            raise VerificationFailed(f"the bundle has digests by {algorithm[:40]!r}; only SHA-256 is read: sign again")
        case _:
            raise MalformedInput("a file in the bundle has no name, algorithm and digest")

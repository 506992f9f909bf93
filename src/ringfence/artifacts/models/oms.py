"""OMS v1.0 bundles: write and read them (docs/specs/model-signature.md).

A bundle is a Sigstore bundle around a DSSE envelope around an in-toto statement. What is signed are bytes: they are
checked as they were read and never printed again.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringfence.artifacts.models.bundle import (
    MAX_BUNDLE,
    MEDIA_TYPE,
    chain_of,
    hint_of,
    material_of,
    signed_of,
    tokens_of,
)
from ringfence.artifacts.models.keys import PublicKey, Signing
from ringfence.artifacts.models.methods import (
    Algorithm,
    Method,
    Part,
    SignedFiles,
    check_shards,
    digest_bytes,
    shard_name,
    spelled,
)
from ringfence.artifacts.models.model import MAX_FILES, Manifest, Resource
from ringfence.artifacts.models.names import IGNORABLE, check_ignored, check_name, check_names, left_out
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import PAYLOAD_TYPE, pae
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from ringfence.artifacts.models.certificates import Authorities, Stamp, Vouched

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
MAX_RESOURCES = 2**18  # shards of all files together
MAX_SHARD = 2**50
_OLD_PREDICATE = "https://model_signing/Digests/v0.1"
_SHARD_SIZE = re.compile(rb'("shard_?[sS]ize"\s*:\s*[0-9]{1,16})\.0\b')  # as the reference tool prints an integer


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a bundle, and what their key was believed for."""

    key: PublicKey
    vouched: "Vouched | None" = None
    stamped: "Stamp | None" = None  # by when an authority that the reader names had seen the signature

    @property
    def subject(self) -> str:
        """Return whom a certificate names; empty for a bare key."""
        return self.vouched.subject if self.vouched else ""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures a reader takes: of these keys, or under these authorities."""

    keys: Sequence[PublicKey] = ()
    authorities: "Authorities | None" = None
    stampers: "Sequence[Sequence[Certificate]]" = ()  # as `Authorities` has them, for signatures by bare keys


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


def sign(manifest: Manifest, key: Signing, chain: Sequence[bytes] = ()) -> bytes:
    """Return the bundle of a manifest; `chain` are certificates in DER, the signer's own first."""
    return sign_files(SignedFiles.of(manifest), key, chain)


def sign_files(files: SignedFiles, key: Signing, chain: Sequence[bytes] = ()) -> bytes:
    """Return the bundle of whole files by either hash; shards are read and not written."""
    if files.method.shard:
        raise UsageError("shards are verified and not signed here; sign whole files")
    algorithm = files.method.algorithm.value
    payload = digest.dumps(
        {
            "_type": STATEMENT,
            "subject": [{"name": files.title or "model", "digest": {"sha256": files.root.hex}}],
            "predicateType": PREDICATE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": algorithm,
                    "allow_symlinks": False,
                    "ignore_paths": sorted(IGNORABLE),
                },
                "resources": [
                    {"name": name, "algorithm": algorithm, "digest": parts[0].digest.hex()}
                    for name, parts in files.files.items()
                ],
            },
        }
    )
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(key.sign(pae(payload))).decode(), "keyid": ""}],
    }
    named: dict[str, Any] = {"publicKey": {"hint": key.public.hint}}
    if chain:
        raw = [{"rawBytes": base64.b64encode(one).decode()} for one in chain]
        named = {"x509CertificateChain": {"certificates": raw}}
    return digest.dumps(
        {"mediaType": MEDIA_TYPE, "verificationMaterial": named | {"tlogEntries": []}, "dsseEnvelope": envelope}
    )


def signed_by(title: str, algorithm: Algorithm, digests: Mapping[str, bytes]) -> SignedFiles:
    """Return whole files by one hash, in the order that OMS demands."""
    if not 1 <= len(digests) <= MAX_FILES:
        raise UsageError(f"a model has 1 to {MAX_FILES} files, not {len(digests)}")
    names = sorted(map(check_name, digests))
    check_names(names)
    root = Digest.of(b"".join(digests[name] for name in names))
    return SignedFiles(title, root, Method(algorithm), {name: (Part(0, None, digests[name]),) for name in names})


def stamped(bundle: bytes, token: bytes) -> bytes:
    """Return a bundle with an RFC 3161 response over its signature; no signature covers it, so that it can be added."""
    document = digest.loads(bundle, source="bundle", limit=MAX_BUNDLE)
    signed_of(document)
    material = document["verificationMaterial"]
    stamps = material.setdefault("timestampVerificationData", {}).setdefault("rfc3161Timestamps", [])
    stamps.append({"signedTimestamp": base64.b64encode(token).decode()})
    return digest.dumps(document)


def signature_of(bundle: bytes) -> bytes:
    """Return the bytes of the signature in a bundle, which a time-stamping authority stamps."""
    return signed_of(digest.loads(bundle, source="bundle", limit=MAX_BUNDLE))[1]


def verify(bundle: bytes, trusted: Sequence[PublicKey], *, source: str = "") -> tuple[Manifest, PublicKey]:
    """Return the manifest that one of the `trusted` keys signed, and which one; or raise.

    Raises:
        MalformedInput: this is no bundle of the kinds that are read here.
        VerificationFailed: no trusted key signed it, or it signs something that is not accepted, or in another way
            than SHA-256 over whole files: `read` has those.
    """
    files, signer = read(bundle, Trust(keys=trusted), source=source)
    return files.manifest, signer.key


def read(bundle: bytes, trust: Trust, *, source: str = "") -> tuple[SignedFiles, Signer]:
    """Return what somebody who is trusted signed, by whichever method, and who; or raise.

    Raises:
        MalformedInput: this is no bundle of the kinds that are read here.
        VerificationFailed: nobody who is trusted signed it, or it signs something that is not accepted.
        Unavailable: what it was hashed by is not installed.
    """
    document = digest.loads(bundle, source=source, limit=MAX_BUNDLE)
    try:
        material = material_of(document)
        payload, signature = signed_of(document)
        chain = chain_of(material)
        hint = "" if chain else hint_of(material)
        signer = (
            _vouched(payload, signature, chain, tokens_of(material), trust)
            if chain
            else _known(_signer(payload, signature, hint, trust.keys), signature, material, trust)
        )
    except MalformedInput as error:
        raise error if error.source else MalformedInput(str(error), source=source) from error
    return _files(payload, source), signer


def _vouched(payload: bytes, signature: bytes, chain: Sequence[bytes], tokens: Sequence[bytes], trust: Trust) -> Signer:
    if trust.authorities is None:
        raise VerificationFailed(
            "the model is signed with a certificate, and no root is trusted here: name the authority's with --root PEM"
        )
    from ringfence.artifacts.models.certificates import vouched

    found = vouched(chain, trust.authorities, signature=signature, tokens=tokens)
    found.key.verify(signature, pae(payload))
    return Signer(found.key, found, found.stamped)


def _known(key: PublicKey, signature: bytes, material: Mapping[str, Any], trust: Trust) -> Signer:
    if not trust.stampers:
        return Signer(key)
    from ringfence.artifacts.models.certificates import earliest

    return Signer(key, stamped=earliest(signature, tokens_of(material), trust.stampers))


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


def _files(payload: bytes, source: str) -> SignedFiles:
    document = digest.loads(_SHARD_SIZE.sub(rb"\1", payload), source=source, limit=MAX_BUNDLE)
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
    return _checked(title, root, resources, _method(serialization))


def _method(serialization: Mapping[str, Any]) -> Method:
    match serialization.get("method"), serialization.get("shard_size"):
        case "files", None:
            size = 0
        case "shards", int() as size if not isinstance(size, bool) and 0 < size <= MAX_SHARD:
            pass
        case _:
            raise VerificationFailed("the bundle signs neither whole files nor shards of one size; sign again")
    named = serialization.get("hash_type")
    if named not in set(Algorithm):
        raise VerificationFailed(
            f"the bundle has digests by {str(named)[:40]!r}; only SHA-256 and BLAKE3 are read: sign again"
        )
    if serialization.get("allow_symlinks") is not False:
        raise VerificationFailed("the bundle was signed through symbolic links; links are not followed: sign again")
    ignored = serialization.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(path, str) for path in ignored):
        raise MalformedInput("ignore_paths of the bundle is not a list of names")
    check_ignored(ignored)
    return Method(Algorithm(str(named)), size)


def _checked(title: str, root: str, values: list[Any], method: Method) -> SignedFiles:
    if not 1 <= len(values) <= MAX_RESOURCES:
        raise MalformedInput(f"a bundle names 1 to {MAX_RESOURCES} files or shards, not {len(values)}")
    spellings = spelled(method)
    files: dict[str, list[Part]] = {}
    for name, part in (_resource(value, method, spellings) for value in values):
        files.setdefault(name, []).append(part)
        if not method.shard and len(files[name]) > 1:
            raise MalformedInput(f"the file name {name!r} stands twice")
    if len(files) > MAX_FILES:
        raise MalformedInput(f"a model has 1 to {MAX_FILES} files, not {len(files)}")
    check_names(files)
    odd = next(filter(left_out, files), None)
    if odd is not None:
        raise VerificationFailed(f"the bundle signs {odd!r}, which is no part of a model: sign again without it")
    for name, parts in files.items() if method.shard else ():
        parts.sort(key=lambda part: part.start)  # by name, 10:20 stands before 9:10
        check_shards(name, parts, method.shard)
    if Digest.of(b"".join(digest_bytes(value["digest"]) for value in values)) != Digest.parse(root):
        raise VerificationFailed("the root digest of the bundle is not that of its files")
    return SignedFiles(title, Digest.parse(root), method, {name: tuple(parts) for name, parts in files.items()})


def _resource(value: Any, method: Method, spellings: Iterable[str]) -> tuple[str, Part]:
    match value:
        case {"name": str() as name, "algorithm": str() as algorithm, "digest": found} if algorithm in spellings:
            if not method.shard:
                return check_name(name), Part(0, None, digest_bytes(found))
            path, start, end = shard_name(name)
            return check_name(path), Part(start, end, digest_bytes(found))
        case {"algorithm": str() as algorithm} if algorithm not in spellings:
            raise VerificationFailed(
                f"the bundle has digests by {algorithm[:40]!r}, which is not what it says it was hashed by: sign again"
            )
        case _:
            raise MalformedInput("a file in the bundle has no name, algorithm and digest")

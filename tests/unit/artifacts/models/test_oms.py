import base64
import json

import pytest

from ringfence.artifacts.models import oms
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed
from ringfence.testing.models import key

FILES = {"config.json": Digest.of(b"{}"), "w/a.bin": Digest.of(b"a"), "w-b": Digest.of(b""), "é": Digest.of(b"x")}
MANIFEST = oms.manifest_of("model", FILES)
BUNDLE = oms.sign(MANIFEST, key())
TRUSTED = [key().public]


def resigned(change, signer=None):
    """Return a bundle whose statement was changed and signed anew."""
    document = json.loads(BUNDLE)
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    change(statement)
    payload = json.dumps(statement, indent=1).encode()
    signature = (signer or key()).sign(pae(payload))
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    document["dsseEnvelope"]["signatures"] = [{"sig": base64.b64encode(signature).decode()}]
    return json.dumps(document).encode()


def changed(**fields):
    document = json.loads(BUNDLE)
    for path, value in fields.items():
        *parts, last = path.split("__")
        at = document
        for part in parts:
            at = at[part]
        at[last] = value
    return json.dumps(document).encode()


def serialization(**fields):
    return resigned(lambda statement: statement["predicate"]["serialization"].update(fields))


def resources(change):
    def apply(statement):
        change(statement["predicate"]["resources"])

    return resigned(apply)


def test_a_bundle_comes_back_as_it_was_signed():
    manifest, signer = oms.verify(BUNDLE, [key(2).public, *TRUSTED])
    assert manifest == MANIFEST
    assert signer.hint == key().public.hint
    assert [resource.name for resource in manifest.files] == ["config.json", "w-b", "w/a.bin", "é"]


def test_a_manifest_needs_files_with_names():
    with pytest.raises(UsageError, match="1 to"):
        oms.manifest_of("m", {})
    with pytest.raises(MalformedInput):
        oms.manifest_of("m", {"../x": Digest.of(b"")})


def test_nobody_else_s_key_will_do():
    with pytest.raises(VerificationFailed, match="not among those"):
        oms.verify(BUNDLE, [key(2).public])
    with pytest.raises(VerificationFailed, match="not among those"):
        oms.verify(BUNDLE, [])
    forged = resigned(lambda _statement: None, signer=key(2))
    with pytest.raises(VerificationFailed, match="does not match"):
        oms.verify(forged, [*TRUSTED, key(2).public])


def test_every_flipped_byte_of_the_payload_is_seen():
    document = json.loads(BUNDLE)
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    for at in range(0, len(payload), 7):
        bad = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        with pytest.raises(VerificationFailed, match="does not match"):
            oms.verify(changed(dsseEnvelope__payload=base64.b64encode(bad).decode()), TRUSTED)


def test_what_other_tools_write_is_read():
    oms.verify(changed(verificationMaterial__tlogEntries=[{}]), TRUSTED)
    oms.verify(changed(verificationMaterial={"publicKey": {"rawBytes": "x", "keyDetails": "y"}}), TRUSTED)
    for keyid in ("", None):
        signature = json.loads(BUNDLE)["dsseEnvelope"]["signatures"][0] | {"keyid": keyid}
        oms.verify(changed(dsseEnvelope__signatures=[signature]), TRUSTED)
    oms.verify(resigned(lambda statement: statement["predicate"]["serialization"].pop("ignore_paths")), TRUSTED)
    oms.verify(resources(lambda found: found[0].update(media_type="text/plain")), TRUSTED)

    def reverse(statement):
        statement["predicate"]["resources"].reverse()
        root = b"".join(bytes.fromhex(one["digest"]) for one in statement["predicate"]["resources"])
        statement["subject"][0]["digest"]["sha256"] = Digest.of(root).hex

    assert oms.verify(resigned(reverse), TRUSTED)[0].digest == MANIFEST.digest


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        (serialization(method="shards", shard_size=5), "shards"),
        (serialization(method="shards", shard_size=67108864.0), "shards"),
        (serialization(hash_type="blake3"), "SHA-256"),
        (serialization(allow_symlinks=True), "symbolic links"),
        (serialization(ignore_paths=["tokenizer.json"]), "ignore 'tokenizer.json'"),
        (resources(lambda found: found[0].update(algorithm="blake2b")), "SHA-256"),
        (resources(lambda found: found[0].update(algorithm="sha256-sharded-5")), "SHA-256"),
        (resources(lambda found: found.pop()), "root digest"),
        (resources(lambda found: found[0].update(digest="00" * 32)), "root digest"),
        (resources(lambda found: found[0].update(name=".git/x")), "no part of a model"),
        (resigned(lambda statement: statement.update(predicateType="https://model_signing/Digests/v0.1")), "1.0"),
        (resigned(lambda statement: statement.update(predicateType="https://slsa.dev/provenance/v1")), "not a model"),
    ],
)
def test_what_is_signed_but_not_accepted_is_refused(bundle, why):
    with pytest.raises(VerificationFailed, match=why):
        oms.verify(bundle, TRUSTED)


@pytest.mark.parametrize(
    "bundle",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        BUNDLE[:-1],
        BUNDLE[:-1] + b',"mediaType":"x"}',
        changed(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
        changed(verificationMaterial={}),
        changed(verificationMaterial={"certificate": {}}),
        changed(verificationMaterial={"x509CertificateChain": {}}),
        changed(dsseEnvelope={}),
        changed(dsseEnvelope__payloadType="text/plain"),
        changed(dsseEnvelope__payload="***"),
        changed(dsseEnvelope__signatures=[]),
        changed(dsseEnvelope__signatures=json.loads(BUNDLE)["dsseEnvelope"]["signatures"] * 2),
        resources(list.clear),
        resources(lambda found: found.append(found[0])),
        resources(lambda found: found[0].update(name="../x")),
        resources(lambda found: found[0].update(digest="0")),
        resources(lambda found: found[0].pop("name")),
        serialization(ignore_paths="x"),
        resigned(lambda statement: statement.update(subject=[])),
        resigned(lambda statement: statement["subject"].append(statement["subject"][0])),
        resigned(lambda statement: statement.update(_type="x")),
    ],
)
def test_what_is_no_bundle_is_refused(bundle):
    with pytest.raises((MalformedInput, VerificationFailed)):
        oms.verify(bundle, TRUSTED)


def test_our_form_is_the_one_that_is_written_down():
    document = json.loads(BUNDLE)
    assert document["verificationMaterial"] == {"publicKey": {"hint": key().public.hint}, "tlogEntries": []}
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    assert payload == digest.dumps(json.loads(payload))
    ignored = json.loads(payload)["predicate"]["serialization"]["ignore_paths"]
    assert ignored == [".git", ".gitattributes", ".github", ".gitignore", ".gitmodules", "model.sig"]

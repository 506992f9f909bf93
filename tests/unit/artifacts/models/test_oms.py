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
        (serialization(method="shards", shard_size=0), "neither whole files nor shards"),
        (serialization(method="files", shard_size=5), "neither whole files nor shards"),
        (serialization(hash_type="blake2b"), "only SHA-256 and BLAKE3"),
        (serialization(hash_type="blake3"), "not what it says"),
        (serialization(allow_symlinks=True), "symbolic links"),
        (serialization(ignore_paths=["tokenizer.json"]), "ignore 'tokenizer.json'"),
        (resources(lambda found: found[0].update(algorithm="blake3")), "not what it says"),
        (resources(lambda found: found[0].update(algorithm="sha256-sharded-5")), "not what it says"),
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


def sharded(parts, size=5, algorithm="sha256", printed=None):
    """Return a signed bundle of the shards of a file, as others write them."""

    def change(statement):
        found = [
            {"name": f"a:b:{start}:{end}", "algorithm": algorithm, "digest": Digest.of(b"x").hex}
            for start, end in parts
        ]
        root = Digest.of(b"".join(Digest.of(b"x").value for _ in found))
        statement["subject"][0]["digest"]["sha256"] = root.hex
        statement["predicate"]["resources"] = found
        statement["predicate"]["serialization"] |= {"method": "shards", "shard_size": printed or size}

    return resigned(change)


@pytest.mark.parametrize("algorithm", ["sha256", "sha256-sharded-5"])
def test_shards_are_read_in_both_spellings_and_in_any_order(algorithm):
    data = sharded([(5, 10), (10, 12), (0, 5)], algorithm=algorithm)
    files, _ = oms.read(data, oms.Trust(keys=TRUSTED))
    assert [(part.start, part.end) for part in files.files["a:b"]] == [(0, 5), (5, 10), (10, 12)]
    assert files.method.text == "sha256 of shards of 5 bytes"
    with pytest.raises(VerificationFailed, match="model import"):
        oms.verify(data, TRUSTED)
    assert oms.read(sharded([(0, 5)], printed=5.0), oms.Trust(keys=TRUSTED))[0].method.shard == 5


@pytest.mark.parametrize(
    "parts", [[(0, 5), (6, 10)], [(1, 5)], [(0, 5), (4, 9)], [(0, 5), (0, 5)], [(0, 3), (3, 6)], [(0, 6)], [(0, 0)]]
)
def test_shards_with_holes_overlaps_or_of_other_sizes_are_refused(parts):
    with pytest.raises(MalformedInput, match="follow one another"):
        oms.read(sharded(parts), oms.Trust(keys=TRUSTED))


def test_shards_of_another_size_than_they_are_called_by_are_refused():
    with pytest.raises(VerificationFailed, match="not what it says"):
        oms.read(sharded([(0, 5)], algorithm="sha256-sharded-6"), oms.Trust(keys=TRUSTED))
    for size in (2.5, True, -1, 2**51):
        with pytest.raises((MalformedInput, VerificationFailed)):
            oms.read(sharded([(0, 5)], printed=size), oms.Trust(keys=TRUSTED))

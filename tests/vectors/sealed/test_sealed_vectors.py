"""The vectors, read by a second implementation that shares no code with the product, and by the product."""

import hashlib
import hmac
import json
import shutil
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringfence.artifacts.blobs import directory_vault
from ringfence.artifacts.journal import parse_journal
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.testing.artifacts import MemoryFolder, MemoryKeyring

HERE = Path(__file__).parents[3] / "docs" / "specs" / "vectors" / "sealed"
DATASET = HERE / "dataset"
SEAL = json.loads((DATASET / "seal.json").read_bytes())
KEY = bytes.fromhex(json.loads((HERE / "vector.json").read_bytes())["datasetKey"])
EXPECTED = {"a/exact.bin": bytes(range(256)) * 256, "b.txt": b"sealed\n", "empty": b"", "two.bin": b"\xa5" * 65537}


def sha(data):
    return hashlib.sha256(data).digest()


def hkdf(salt, info, size):
    prk = hmac.digest(salt, KEY, "sha256")
    out = block = b""
    while len(out) < size:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:size]


def head(nodes):
    if len(nodes) < 2:
        return nodes[0]
    k = 1 << (len(nodes) - 1).bit_length() - 1
    return sha(b"\x01" + head(nodes[:k]) + head(nodes[k:]))


def plaintext(name):
    data = (DATASET / "objects" / name).read_bytes()
    header, at, out = data[:128], 128, b""
    magic, suite, _, _, size, length, epoch, dataset, identifier, salt, commitment = struct.unpack(
        ">8sBBHIQQ16s16s32s32s", header
    )
    assert (magic, suite, identifier.hex(), dataset.hex()) == (b"RFSEALv1", 1, name, SEAL["dataset"])
    derived = hkdf(salt, b"ringfence sealed object v1\0" + dataset + identifier + struct.pack(">Q", epoch), 64)
    assert derived[32:] == commitment
    count = max(1, -(-length // size))
    for number in range(count):
        place = struct.pack(">IB", number, number == count - 1)
        part = data[at : at + min(size, length - number * size) + 16]
        out += AESGCM(derived[:32]).decrypt(bytes(7) + place, part, header + place)
        at += len(part)
    assert (at, len(out)) == (len(data), length)
    return out


def test_a_second_implementation_reads_the_dataset():
    manifest = json.loads(plaintext(SEAL["manifest"]))
    assert {file["path"]: plaintext(file["object"]) for file in manifest["files"]} == EXPECTED
    leaves = [
        sha(
            b"\0ringfence sealed plaintext v1\0"
            + bytes.fromhex(manifest["salt"])
            + struct.pack(">Q", file["size"])
            + bytes.fromhex(file["sha256"])
            + file["path"].encode()
        )
        for file in manifest["files"]
    ]
    assert f"sha256:{head(leaves).hex()}" == SEAL["plaintextRoot"]


def test_a_second_implementation_agrees_on_index_and_roots():
    index = (DATASET / "index").read_bytes()
    assert f"sha256:{sha(index).hex()}" == SEAL["indexDigest"]
    records = [index[at : at + 96] for at in range(16, len(index), 96)]
    leaves = [sha(b"\0ringfence sealed record v1\0" + record) for record in records]
    assert f"sha256:{head(leaves).hex()}" == SEAL["ciphertextRoot"]
    for record in records:
        data = (DATASET / "objects" / record[:16].hex()).read_bytes()
        body, step = data[128:], SEAL["chunkSize"] + 16
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        hashes = [sha(b"\0ringfence sealed chunk v1\0" + part) for part in chunks]
        assert record[32:] == sha(data[:128]) + head(hashes)
        sidecar = DATASET / "chunks" / record[:16].hex()
        assert sidecar.exists() is (len(hashes) > 1)
        assert not sidecar.exists() or sidecar.read_bytes() == b"".join(hashes)


def test_a_second_implementation_agrees_on_the_key_commitment():
    dataset = bytes.fromhex(SEAL["dataset"])
    info = b"ringfence sealed dataset key v1\0" + dataset + struct.pack(">Q", SEAL["epoch"])
    assert hkdf(dataset, info, 32).hex() == SEAL["keyCommitment"]


def test_the_product_reads_the_dataset():
    keyring = MemoryKeyring("vectors")
    keyring.wrap(KEY)
    digest, folder = Digest.of((DATASET / "seal.json").read_bytes()), MemoryFolder()
    with directory_vault(DATASET) as vault, open_dataset(vault, digest, 7, keyring) as opened:
        extract(opened, folder)
    assert folder.files == EXPECTED


def test_the_product_verifies_the_dataset():
    with directory_vault(DATASET) as vault:
        assert verify(vault, Digest.of((DATASET / "seal.json").read_bytes()), 7).passed


def test_a_second_implementation_reads_the_journal_up_to_the_torn_line():
    data, at, lines = (HERE / "journal").read_bytes(), 0, []
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        frame = data[at + 4 : at + 4 + size]
        if len(frame) < size:
            break
        label = b"ringfence seal journal v1\0"
        lines.append(json.loads(AESGCM(hkdf(frame[:32], label, 32)).decrypt(bytes(12), frame[32:], label)))
        at += 4 + size
    assert lines[0] == {"name": "vectors", "dataset": SEAL["dataset"], "epoch": 7, "chunkSize": 65536}
    assert [line["path"] for line in lines[1:]] == ["a/exact.bin", "b.txt"]
    for line in lines[1:]:
        assert sha(EXPECTED[line["path"]]).hex() == line["sha256"]
        assert sha((DATASET / "objects" / line["object"]).read_bytes()[:128]).hex() == line["header"]
        assert line["identity"][2] == str(len(EXPECTED[line["path"]]))


def test_the_product_reads_the_journal_up_to_the_torn_line():
    found = parse_journal((HERE / "journal").read_bytes(), KEY)
    assert [one.entry.path for one in found.finished] == ["a/exact.bin", "b.txt"]


def test_with_the_erased_key_file_the_dataset_verifies_and_does_not_open(tmp_path):
    shutil.copytree(DATASET, tmp_path / "dataset")
    shutil.copy(HERE / "erased" / "key.json", tmp_path / "dataset")
    digest, keyring = Digest.of((DATASET / "seal.json").read_bytes()), MemoryKeyring("vectors")
    keyring.wrap(KEY)
    with directory_vault(tmp_path / "dataset") as vault:
        assert verify(vault, digest, 7).passed
        assert verify(vault, digest, 7, erased=True).passed
        assert not verify(vault, digest, 7, erased=False).passed
        with pytest.raises(Refused, match="was erased"), open_dataset(vault, digest, 7, keyring):
            pass


def test_a_second_implementation_binds_a_large_file_to_its_content():
    vector = json.loads((HERE / "vector.json").read_bytes())["largeFile"]
    dataset, data, path = bytes.fromhex(SEAL["dataset"]), EXPECTED[vector["content"]], vector["path"].encode()
    bound = hkdf(dataset, b"ringfence sealed large file v1\0" + dataset + struct.pack(">Q", SEAL["epoch"]), 64)
    given = bytes.fromhex(vector["object"]) + struct.pack(">IQ", SEAL["chunkSize"], len(data)) + sha(data) + path
    assert hmac.digest(bound[:32], given, "sha256").hex() == vector["salt"]
    assert hmac.digest(bound[32:], path, "sha256").hex()[:32] == vector["name"]

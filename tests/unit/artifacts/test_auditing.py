"""What whoever stores a dataset finds with the folder, the statements and the root's key: real files and signatures."""

import base64
import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.artifacts import auditing
from ringfence.artifacts.auditing import audit, parse_statements, print_statements, signed_epochs, to_json
from ringfence.artifacts.blobs import Home, PlainFolder, directory_vault
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName
from ringfence.artifacts.reconcile import HomeWrappings
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of, sign
from ringfence.kernel.errors import MalformedInput, RingfenceError, VerificationFailed
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, Strength, Subject, to_payload
from ringfence.testing.artifacts import TENANT, Counting, MemoryControl, MemoryKeyring
from ringfence.testing.clock import START

ROOT = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
ROOT_KEY = ROOT.public_key().public_bytes_raw()
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(32))  # as `MemoryControl` does
OPERATOR = SIGNING.public_key().public_bytes_raw()
NAME = DatasetName("claims")


def stated(predicate, claims, key=OPERATOR, by=ROOT, at=START, tenant=TENANT, log="example.eu/log"):
    name = key_id_of(key)
    draft = Draft(PredicateName(predicate), (Subject(f"key/{name[:16]}", Digest.of(key)),), claims, Strength.DOCUMENTED)
    issuer = KeyId(key_id_of(by.public_key().public_bytes_raw()))
    issuance = Issuance(tenant, LogOrigin(log), issuer, Strength.DOCUMENTED, 1, "0" * 32, "k", at)
    return sign(to_payload(draft.issued(issuance, None)), by)


def enrolled(key=OPERATOR, by=ROOT, tenant=TENANT, log="example.eu/log", **change):
    claims = {
        "role": "operator",
        "algorithm": "ed25519",
        "publicKey": base64.b64encode(key).decode(),
        "person": "person-0123456789ab",
        "validFrom": to_text(START - timedelta(days=1)),
        "validUntil": to_text(START + timedelta(days=1)),
        "custody": "file-plain",
    }
    return stated("key.enrolled", claims | change, key, by, tenant=tenant, log=log)


class Store:
    """A dataset of two epochs, as it lies with somebody who only stores it."""

    def __init__(self, folder):
        control, keyring = MemoryControl(), MemoryKeyring()
        work = Workbench(control, RecordedAccess(control), Home(folder / "home"), Counting(b"work"))
        (folder / "source").mkdir()
        (folder / "source" / "a").write_bytes(b"one" * 50_000)
        for _ in range(2):
            document = work.seal(SealOrder(NAME, 65536), PlainFolder(folder / "source"), keyring)
        self.control, self.work, self.wrappings = control, work, HomeWrappings(folder / "home")
        self.folder = folder / "home" / "datasets" / document["dataset"]

    def statements(self):
        return [enrolled(), *self.control.recorder.admitted]

    def found(self, statements=None):
        epochs = signed_epochs(self.statements() if statements is None else statements, ROOT_KEY)
        present = [path.name for path in self.folder.iterdir()]
        return to_json(list(audit(epochs, lambda _, number: directory_vault(self.folder / str(number)), present)))

    def reasons(self):
        return [failure["reason"] for row in self.found()["epochs"] for failure in row["failed"]]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_what_is_whole_passes_and_the_file_reads_back(store):
    found = store.found()
    assert found["result"] == "pass"
    assert [row["epoch"] for row in found["epochs"]] == [1, 2]
    texts = [base64.b64encode(one.data).decode() for one in store.statements()]
    assert parse_statements(print_statements(texts)) == store.statements()


def test_a_missing_epoch_a_missing_file_a_rollback_and_what_nobody_sealed_are_named(store):
    shutil.rmtree(store.folder / "1")
    assert store.reasons() == ["its folder is missing"]
    shutil.copytree(store.folder / "2", store.folder / "1")
    (reason,) = store.reasons()
    assert reason == "it is the seal of epoch 2, in the place of epoch 1"
    shutil.rmtree(store.folder / "1")
    (store.folder / "2").rename(store.folder / "3")
    assert store.reasons() == ["its folder is missing"] * 2 + ["no statement speaks of this"]
    assert store.found()["result"] == "fail"


def test_the_older_epoch_in_the_place_of_the_newest_is_called_a_rollback(store):
    shutil.rmtree(store.folder / "2")
    shutil.copytree(store.folder / "1", store.folder / "2")
    (reason,) = store.reasons()
    assert "rolled back" in reason


def test_every_missing_object_is_a_finding(store):
    for path in sorted((store.folder / "2").rglob("*")):
        if path.is_file() and path.name != "seal.dsse":
            kept = path.read_bytes()
            path.unlink()
            assert store.found()["result"] == "fail", path
            path.write_bytes(kept)
    assert store.found()["result"] == "pass"


def test_after_an_erasure_storage_still_passes_and_a_key_that_came_back_is_found(store, tmp_path):
    shutil.copy(store.folder / "1" / "key.json", tmp_path / "backup")
    store.work.erase(NAME, "why", store.wrappings, 1)
    assert store.found()["result"] == "pass"
    shutil.copy(tmp_path / "backup", store.folder / "1" / "key.json")
    assert store.reasons() == ["it holds a wrapped key, although that was erased"]


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda all_: all_[1:], "has not enrolled"),
        (lambda all_: [enrolled(by=Ed25519PrivateKey.from_private_bytes(b"x" * 32)), *all_[1:]], "signed by key"),
        (lambda all_: [enrolled(validUntil=to_text(START)), *all_[1:]], "outside of the time"),
        (lambda all_: [all_[0], all_[2]], "epoch 1 is missing"),
        (lambda all_: [*all_[:2], revoked("lost", START), *all_[2:]], "outside of the time"),
        (lambda all_: [all_[0], revoked("compromised", START + timedelta(hours=1)), *all_[1:]], "outside of the time"),
        (lambda all_: [all_[0], enrolled(key=b"k" * 32, by=SIGNING)], "passkey"),
        (lambda all_: [*all_, stated("model.signed", {})], "says nothing of a dataset"),
    ],
)  # fmt: skip
def test_statements_that_do_not_stand_are_a_negative_verdict(store, change, because):
    with pytest.raises(VerificationFailed, match=because):
        signed_epochs(change(store.statements()), ROOT_KEY)


def revoked(reason, at):
    claims = {"keyId": key_id_of(OPERATOR), "reason": reason, "at": to_text(at)}
    return stated("key.revoked", claims, at=at)


def test_the_signers_keys_go_with_the_statements_and_no_others(store):
    other = enrolled(key=b"k" * 32)
    about = list(store.control.recorder.admitted)
    assert auditing.signers([enrolled(), other, revoked("lost", START)], about) == [enrolled(), revoked("lost", START)]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"format":"urn:ringfence:dataset-statements:v1","statements":[1]}']
)
def test_what_is_no_file_of_statements(data):
    with pytest.raises(MalformedInput):
        parse_statements(data)
    with pytest.raises(MalformedInput):
        auditing.root_of(data)


def test_a_trust_file_gives_the_root():
    document = {"format": "urn:ringfence:trust:v2", "root": base64.b64encode(ROOT_KEY).decode()}
    assert auditing.root_of(json.dumps(document).encode()) == ROOT_KEY


def test_a_folder_that_cannot_be_read_is_no_pass(store):
    epochs = signed_epochs(store.statements(), ROOT_KEY)
    (store.folder / "1" / "objects").rename(store.folder / "1" / "away")
    found = list(audit(epochs, lambda _, number: directory_vault(store.folder / str(number)), []))
    assert not found[0].verdict.passed
    with pytest.raises(RingfenceError), nullcontext():
        signed_epochs([enrolled(role="gateway")], ROOT_KEY)


def test_an_operator_of_another_tenant_seals_nothing_of_this_one(store):
    foreign = enrolled(tenant=Tenant("other"))
    with pytest.raises(VerificationFailed, match="another tenant or log"):
        signed_epochs([foreign, *store.statements()[1:]], ROOT_KEY)
    with pytest.raises(VerificationFailed, match="another tenant or log"):
        signed_epochs([enrolled(log="example.eu/other"), *store.statements()[1:]], ROOT_KEY)


def test_statements_of_two_tenants_are_not_one_dataset(store):
    """Each by its own operator: without this, an operator of another tenant goes on where the first one stopped."""
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    first, second = store.control.recorder.admitted
    issuance = replace(
        second.statement.issuance,
        tenant=Tenant("other"),
        issuer=KeyId(key_id_of(other.public_key().public_bytes_raw())),
    )
    forged = sign(to_payload(replace(second.statement, issuance=issuance)), other)
    key = enrolled(other.public_key().public_bytes_raw(), tenant=Tenant("other"))
    assert auditing.tenants_of([enrolled(), first]) == [TENANT]
    with pytest.raises(VerificationFailed, match="several tenants"):
        signed_epochs([enrolled(), key, first, forged], ROOT_KEY)


def test_an_erasure_that_was_not_announced_is_a_negative_verdict(store):
    store.work.erase(NAME, "why", store.wrappings, 1)
    first, second, asked, done = store.control.recorder.admitted
    assert signed_epochs([enrolled(), first, second, asked, done, asked], ROOT_KEY)[1].erasure.done
    for file in ([first, second, done], [first, second, done, asked]):
        with pytest.raises(VerificationFailed, match="does not hold its announcement"):
            signed_epochs([enrolled(), *file], ROOT_KEY)


def test_an_erasure_of_another_key_than_the_sealed_one_is_a_negative_verdict(store):
    """Whoever erases could name a key that nobody ever used, and keep the one that counts."""
    store.work.erase(NAME, "why", store.wrappings, 1)
    *before, done = store.control.recorder.admitted
    other = replace(done.statement, claims={**done.statement.claims, "keyCommitment": "0" * 64})
    with pytest.raises(VerificationFailed, match="under another key"):
        signed_epochs([enrolled(), *before, sign(to_payload(other), SIGNING)], ROOT_KEY)

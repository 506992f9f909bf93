"""Stores of the real MLflow are read, and a hostile one shows nothing of this machine."""

import os

import pytest

from ringfence.artifacts.models import oms
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, RingfenceError, UsageError
from ringfence.testing import mlflow as lab
from ringfence.workloads.mlflow import store as reading
from ringfence.workloads.mlflow.loading import digest_of
from ringfence.workloads.mlflow.model import COMMIT_TAG, MAX_ENTRIES, Status, texts

OURS = {"ringfence.seal": str(Digest.of(b"seal")), "ringfence.dataset": "a" * 32, "ringfence.epoch": "2"}
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_run_is_read_with_the_digests_of_its_artifacts(store):
    tags, inputs = {COMMIT_TAG: "c" * 40}, {"claims": {**OURS, "mlflow.data.context": "training"}, "web": {}}
    run = store.run({"lr": "0.1"}, {"model/weights.bin": b"w", "log.txt": b""}, tags=tags, inputs=inputs)
    found = reading.read(store.uri, run)
    assert (found.status, found.commit, found.parameters) == (Status.COMPLETED, "c" * 40, {"lr": "0.1"})
    assert found.metrics == {"loss": "0.25"}
    assert [(file.path, file.digest) for file in found.outputs.files] == [
        ("log.txt", Digest.of(b"")),
        ("model/weights.bin", Digest.of(b"w")),
    ]
    used = {one.name: one for one in found.used}
    assert (used["claims"].seal, used["claims"].epoch, used["claims"].context) == (Digest.of(b"seal"), 2, "training")
    assert not used["web"].ours


def test_a_folder_of_artifacts_has_the_digest_by_which_a_signature_names_it(store):
    run = store.run({}, {"model/weights.bin": b"w", "model/deep/config.json": b"{}", "log.txt": b""})
    assert reading.read(store.uri, run).folders == (digest_of(store.artifacts(run) / "model"),)


def test_a_model_that_was_logged_beside_the_artifacts_is_found(store):
    run = store.run({}, {}, models={"net": {"weights.bin": b"w"}})
    assert reading.read(store.uri, run).folders == (oms.manifest_of("", {"weights.bin": Digest.of(b"w")}).digest,)


def test_a_logged_model_elsewhere_is_not_read(store):
    run = store.run({}, {}, models={"net": {"weights.bin": b"w"}})
    [meta] = store.place.glob("*/models/*/meta.yaml")
    lines = [line for line in meta.read_text().splitlines() if not line.startswith("artifact_location")]
    meta.write_text("\n".join([*lines, "artifact_location: /etc"]))
    with pytest.raises(Refused, match="not below"):
        reading.read(store.uri, run)


@pytest.mark.parametrize(("status", "expected"), [("FAILED", Status.FAILED), ("KILLED", Status.INTERRUPTED)])
def test_how_it_ended_is_told(store, status, expected):
    assert reading.read(store.uri, store.run({}, {}, status=status)).status is expected


def test_a_database_is_read_and_not_changed(tmp_path):
    store = lab.made(tmp_path / "runs", kind="sqlite")
    run = store.run({"lr": "0.1"}, {"weights": b"w"}, inputs={"claims": OURS})
    before = Digest.of((store.place / "store.db").read_bytes())
    found = reading.read(store.uri, run)
    assert (found.parameters, found.metrics, found.used[0].epoch) == ({"lr": "0.1"}, {"loss": "0.25"}, 2)
    assert [file.path for file in found.outputs.files] == ["weights"]
    assert Digest.of((store.place / "store.db").read_bytes()) == before


@pytest.mark.parametrize(
    "tags",
    [
        {**OURS, "ringfence.seal": "sha256:zz"},
        {**OURS, "ringfence.dataset": "../x"},
        {**OURS, "ringfence.epoch": "0"},
        {**OURS, "ringfence.epoch": "99999999999"},
        {key: value for key, value in OURS.items() if key != "ringfence.epoch"},
    ],
)
def test_a_dataset_whose_tags_do_not_fit_is_none_of_ours(store, tags):
    run = store.run({}, {}, inputs={"claims": tags})
    assert not reading.read(store.uri, run).used[0].ours


def test_a_run_that_is_not_there(store):
    with pytest.raises(NotFound):
        reading.read(store.uri, "0" * 32)


@pytest.mark.parametrize("run", ["", "../x", "A" * 32, "0" * 31, "0" * 33])
def test_what_is_no_id_is_not_asked_for(store, run):
    with pytest.raises(MalformedInput):
        reading.read(store.uri, run)


@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1:5000", "https://a.example", "databricks", "postgresql://x/y", "file://host/x", "s3://b/x",
     "sqlite://x", "mysql:///x", "file:///tmp?x=1"],
)  # fmt: skip
def test_a_store_elsewhere_is_refused(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((Refused, NotFound)):
        reading.read(uri, "0" * 32)


def test_a_database_is_no_folder_and_a_folder_no_database(tmp_path):
    (tmp_path / "x.db").write_bytes(b"")
    for uri in (str(tmp_path / "x.db"), f"sqlite:///{tmp_path}"):
        with pytest.raises(UsageError):
            reading.read(uri, "0" * 32)


@pytest.mark.parametrize("where", ["/etc", "file:///etc", "s3://bucket/x", "../../..", "http://127.0.0.1/x", "~"])
def test_artifacts_outside_the_store_are_not_read(store, where):
    run = store.run({}, {})
    [meta] = store.place.glob(f"*/{run}/meta.yaml")
    lines = [line for line in meta.read_text().splitlines() if not line.startswith("artifact_uri")]
    meta.write_text("\n".join([*lines, f"artifact_uri: {where}"]))
    with pytest.raises(RingfenceError):
        reading.read(store.uri, run)


def test_artifacts_behind_a_link_are_not_read(store, tmp_path):
    run = store.run({}, {"a": b"1"})
    place = store.artifacts(run)
    (place / "a").unlink()
    (place / "a").symlink_to("/etc/passwd")
    found = reading.read(store.uri, run)
    assert (found.outputs.files, found.outputs.skipped) == ((), 1)
    place.rename(tmp_path / "away")
    place.symlink_to("/etc")
    with pytest.raises(Refused, match="not below"):
        reading.read(store.uri, run)


def test_a_parameter_that_is_a_link_shows_no_file(store):
    run = store.run({"lr": "0.1"}, {})
    [parameter] = store.place.glob(f"*/{run}/params/lr")
    parameter.unlink()
    parameter.symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="link"):
        reading.read(store.uri, run)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "!!python/object/apply:os.system ['true']", "- 1", "\x00", "a: &a [*a]"]
)
def test_a_record_that_is_none_stays_in_the_family(store, text):
    run = store.run({}, {})
    [meta] = store.place.glob(f"*/{run}/meta.yaml")
    meta.write_text(text)
    with pytest.raises(RingfenceError):
        reading.read(store.uri, run)


def test_a_database_that_is_none_stays_in_the_family(tmp_path):
    (tmp_path / "store.db").write_bytes(os.urandom(4096))
    with pytest.raises(RingfenceError):
        reading.read(f"sqlite:///{tmp_path / 'store.db'}", "0" * 32)


def test_words_are_one_printable_line_and_not_too_many():
    assert texts({"a\x1b[2J": "b\nc" + "d" * 900}, "tags") == {"a?[2J": "b?c" + "d" * 497}
    with pytest.raises(MalformedInput):
        texts({str(number): "" for number in range(MAX_ENTRIES + 1)}, "tags")

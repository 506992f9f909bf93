import pytest

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.blobs import model_folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, UsageError
from ringfence.workloads.runs.bases import digested


def test_a_base_is_named_as_a_signature_of_the_same_files_names_it(tmp_path):
    folder = tmp_path / "base"
    (folder / "deep").mkdir(parents=True)
    (folder / "weights").write_bytes(b"w")
    (folder / "deep" / "config.json").write_bytes(b"{}")
    (folder / "model.sig").write_bytes(b"somebody's signature")
    [found] = digested(tmp_path, ["base"])
    with model_folder(folder) as opened:
        signed = oms.manifest_of("base", {name: one.digest for name, one in opened.hashed().items()})
    assert (found.digest, found.files, found.path) == (signed.digest, 2, "base")


def test_one_file_is_a_folder_with_one_file(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"w")
    [found] = digested(tmp_path, ["model.gguf"])
    assert found.digest == oms.manifest_of("", {"model.gguf": Digest.of(b"w")}).digest


def test_a_changed_byte_is_another_base(tmp_path):
    (tmp_path / "m").write_bytes(b"1")
    before = digested(tmp_path, ["m"])
    (tmp_path / "m").write_bytes(b"2")
    assert digested(tmp_path, ["m"]) != before


def test_what_is_no_base_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a").symlink_to("/etc/passwd")
    with pytest.raises(NotFound):
        digested(tmp_path, ["absent"])
    for name in ("empty", "links"):
        with pytest.raises(UsageError):
            digested(tmp_path, [name])

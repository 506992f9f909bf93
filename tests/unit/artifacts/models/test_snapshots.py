import hashlib
import os

import pytest

from ringfence.artifacts.models.snapshots import Layout, read_bundle, source
from ringfence.kernel.errors import NotFound, UsageError
from ringfence.testing.models import cached


def contents(path, **more):
    with source(path, **more) as opened:
        found = {}
        for name in opened.names():
            with opened.content(name) as content:
                found[name] = content.read(0, content.size)
        return opened, found


FILES = {"config.json": b"{}", "sub/model.safetensors": b"weights", ".gitattributes": b"x"}


def test_a_snapshot_its_repository_and_what_they_say(tmp_path):
    snapshot = cached(tmp_path, FILES)
    for path in (snapshot, snapshot.parent.parent):
        opened, found = contents(path)
        assert found == {"config.json": b"{}", "sub/model.safetensors": b"weights"}
        assert (opened.origin.layout, opened.origin.repository) == (Layout.SNAPSHOT, "org/name")
        assert opened.origin.revision == snapshot.name
        with source(path) as again:
            assert again.expected("sub/model.safetensors").hex == hashlib.sha256(b"weights").hexdigest()
            assert again.expected("config.json") is None  # a small file is named by git's own digest


def test_of_several_snapshots_main_counts_or_one_is_named(tmp_path):
    first, second = cached(tmp_path, FILES), cached(tmp_path, FILES | {"more": b"x"}, revision="2" * 40)
    repository = first.parent.parent
    with pytest.raises(UsageError, match="holds 2 snapshots"):
        contents(repository)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(second.name)
    assert "more" in contents(repository)[1]
    assert "more" not in contents(first)[1]


def swap(link, target):
    link.unlink()
    link.symlink_to(target)


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../../../secret",
        "../../blobs/../../secret",
        "../../blobs/not-a-digest",
        "../../../models--other--name/blobs/" + "0" * 64,
        "../blobs/" + "0" * 64,
        "../../blobs/" + "0" * 40 + "/",
        "config2.json",
    ],
)
def test_a_link_to_anything_but_a_blob_of_its_own_is_refused(tmp_path, target):
    snapshot = cached(tmp_path, FILES)
    (tmp_path / "secret").write_text("s")
    swap(snapshot / "config.json", target)
    with pytest.raises(UsageError, match="no blob of its own"):
        contents(snapshot)


def test_a_link_through_folders_or_blobs_that_are_links_is_refused(tmp_path):
    snapshot = cached(tmp_path, FILES)
    (snapshot / "folder").symlink_to("sub")
    with pytest.raises(UsageError, match="no blob"):
        contents(snapshot)
    (snapshot / "folder").unlink()
    blob = snapshot.parent.parent / "blobs" / (snapshot / "config.json").readlink().name
    swap(blob, "/etc/passwd")
    with pytest.raises(UsageError, match="link"):
        contents(snapshot)
    blobs = snapshot.parent.parent / "blobs"
    blobs.rename(tmp_path / "moved")
    blobs.symlink_to(tmp_path / "moved")
    with pytest.raises(UsageError):
        contents(snapshot)


def test_a_link_that_changes_after_it_was_listed_leads_nowhere_else(tmp_path):
    snapshot = cached(tmp_path, FILES)
    with source(snapshot) as opened:
        opened.names()
        swap(snapshot / "config.json", "/etc/passwd")
        with pytest.raises(UsageError, match="no blob"), opened.content("config.json"):
            pass


def test_a_plain_folder_as_its_tools_leave_it(tmp_path):
    for name in ("a.txt", ".cache/huggingface/download/a.txt.metadata", "model.sig", "code.py"):
        (tmp_path / "m" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / name).write_text("x")
    opened, found = contents(tmp_path / "m", left_out=frozenset({"code.py"}))
    assert (set(found), opened.origin.layout) == ({"a.txt"}, Layout.FOLDER)
    assert opened.skipped == {"code.py", ".cache/huggingface/download/a.txt.metadata"}
    with pytest.raises(UsageError, match="is not there"):
        contents(tmp_path / "m", left_out=frozenset({"nothing"}))
    (tmp_path / "m" / "link").symlink_to("a.txt")
    with pytest.raises(UsageError, match="symbolic link"):
        contents(tmp_path / "m")


def test_one_file(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    opened, found = contents(tmp_path / "m.gguf")
    assert (found, opened.origin.layout) == ({"m.gguf": b"GGUF"}, Layout.FILE)
    with pytest.raises(NotFound), source(tmp_path / "m.gguf") as opened:
        opened.signature()
    with pytest.raises(UsageError):
        contents(tmp_path / "m.gguf", left_out=frozenset({"m.gguf"}))
    with pytest.raises(NotFound):
        contents(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        contents(tmp_path / "pipe")
    assert read_bundle(tmp_path / "m.gguf") == b"GGUF"

import os
import subprocess

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.workloads.runs import code
from ringfence.workloads.runs.model import CodeKind, Difference, Entry, EntryKind

AS = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")


def git(folder, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *AS, *arguments], cwd=folder, env=environment, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def tree(tmp_path):
    """A repository with one commit: a script, a file in a folder, an ignored one."""
    top = tmp_path / "tree"
    (top / "lib").mkdir(parents=True)
    git(top, "init", "-q")
    (top / "train.py").write_text("print(1)\n")
    (top / "lib" / "a.py").write_text("A = 1\n")
    (top / ".gitignore").write_text("*.log\n")
    (top / "noise.log").write_text("noise")
    git(top, "add", ".")
    git(top, "commit", "-qm", "first")
    return top


def look(folder, *named, besides=()):
    return code.look(folder, named, ("python", "train.py"), besides)


def changes(folder, **given):
    return {entry.path: entry.kind for entry in look(folder, **given).changes}


def test_a_clean_tree_is_its_commit(tree):
    found = look(tree / "lib")
    assert (found.kind, found.commit, found.dirty) == (CodeKind.GIT, git(tree, "rev-parse", "HEAD"), False)


def test_every_way_to_differ_is_seen(tree):
    (tree / "train.py").write_text("print(2)\n")
    (tree / "lib" / "a.py").unlink()
    (tree / "new \u00e9\n.py").write_text("new")
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("/etc/passwd")
    assert changes(tree) == {
        "train.py": EntryKind.FILE,
        "lib/a.py": EntryKind.DELETED,
        "new \u00e9\n.py": EntryKind.FILE,
        "run.sh": EntryKind.EXECUTABLE,
        "link": EntryKind.LINK,
    }
    found = {entry.path: entry.digest for entry in look(tree).changes}
    assert found["train.py"] == Digest.of(b"print(2)\n")
    assert found["link"] == Digest.of(b"/etc/passwd")


def test_a_staged_change_and_a_change_of_the_mode_are_seen(tree):
    (tree / "lib" / "a.py").write_text("A = 2\n")
    git(tree, "add", ".")
    (tree / "train.py").chmod(0o755)
    assert changes(tree) == {"lib/a.py": EntryKind.FILE, "train.py": EntryKind.EXECUTABLE}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_is_told_not_to_look_at_is_looked_at(tree, flag):
    git(tree, "update-index", flag, "train.py")
    (tree / "train.py").write_text("print('other')\n")
    assert look(tree).changes == (Entry("train.py", EntryKind.FILE, Digest.of(b"print('other')\n")),)


def test_a_tree_before_its_first_commit(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a")
    found = look(tmp_path)
    assert (found.commit, found.dirty, len(found.changes)) == ("", True, 1)


def test_what_the_run_itself_writes_is_no_code(tree):
    (tree / "out").mkdir()
    (tree / "out" / "model").write_text("m")
    assert changes(tree) == {"out/model": EntryKind.FILE}
    assert changes(tree, besides=[tree / "out"]) == {}
    parcel = code.pack(tree, (), (), [tree / "out"])
    assert [path for path, _, _ in parcel.files] == [".gitignore", "lib/a.py", "train.py"]


def test_submodules_are_recorded_here_and_refused_for_a_node(tree, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "b.py").write_text("b")
    git(other, "add", ".")
    git(other, "commit", "-qm", "b")
    git(tree, "submodule", "add", "-q", str(other), "sub")
    git(tree, "commit", "-qm", "sub")
    assert changes(tree) == {}
    (tree / "sub" / "b.py").write_text("changed")
    assert changes(tree) == {"sub": EntryKind.SUBMODULE}
    with pytest.raises(UsageError, match="submodule"):
        code.pack(tree, (), ())


def test_a_repository_inside_is_recorded_with_its_state(tree):
    inner = tree / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    first = look(tree).changes
    assert [entry.kind for entry in first] == [EntryKind.SUBMODULE]
    (inner / "x").write_text("x")
    assert look(tree).changes != first


def test_a_node_gets_tracked_and_untracked_files_and_nothing_ignored(tree):
    (tree / "new.py").write_text("new")
    (tree / "lib" / "a.py").unlink()
    parcel = code.pack(tree / "lib", (), ())
    assert {path: data for path, _, data in parcel.files} == {
        ".gitignore": b"*.log\n",
        "new.py": b"new",
        "train.py": b"print(1)\n",
    }
    assert parcel.cwd == "lib"
    assert parcel.code.dirty
    assert [entry.digest for entry in parcel.code.shipped] == [Digest.of(data) for _, _, data in parcel.files]


def test_a_link_is_not_sent(tree):
    (tree / "link").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="not a plain file"):
        code.pack(tree, (), ())


def test_without_a_repository_the_folder_or_the_files_that_are_named_are_the_code(tmp_path):
    assert code.look(tmp_path, (), ("true",)).kind is CodeKind.NONE
    (tmp_path / "train.py").write_text("1")
    (tmp_path / "more.py").write_text("2")
    (tmp_path / "data.csv").write_text("3")
    assert [entry.path for entry in look(tmp_path).changes] == ["more.py", "train.py"]
    with_data = code.look(tmp_path, (), ("cat", "data.csv")).changes
    assert [entry.path for entry in with_data] == ["data.csv", "more.py", "train.py"]
    assert [entry.path for entry in look(tmp_path, "more.py").changes] == ["more.py"]
    assert [path for path, _, _ in code.pack(tmp_path, (), ("python", "train.py")).files] == ["train.py"]
    for wrong in ("absent.py", "../x", "/etc/passwd", ""):
        with pytest.raises(NotFound):
            look(tmp_path, wrong)


def test_a_repository_that_git_cannot_read_is_no_tree_without_one(tree):
    (tree / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(Unavailable, match="git cannot read"):
        look(tree)


def test_a_hook_or_monitor_of_the_repository_is_not_run(tree, tmp_path):
    mark = tmp_path / "ran"
    script = tmp_path / "monitor"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(script))
    look(tree)
    assert not mark.exists()


def test_a_repository_that_names_another_folder_as_its_tree_is_not_read(tree, tmp_path):
    (tmp_path / "private").write_text("key")
    for elsewhere in (tmp_path, tmp_path / "beside"):
        git(tree, "config", "core.worktree", str(elsewhere))
        elsewhere.mkdir(exist_ok=True)
        with pytest.raises(Unavailable, match="another folder"):
            code.pack(tree, (), ("true",))


@pytest.mark.parametrize("kind", ["clean", "process"])
def test_looking_starts_no_program_that_a_repository_names(tree, kind):
    git(tree, "config", f"filter.a=b.{kind}", "touch ran; cat")
    git(tree, "config", "filter.a=b.required", "true")
    (tree / ".gitattributes").write_text("*.py filter=a=b\n")
    (tree / "train.py").write_text("print(3)\n")  # as long as before: git has to look into it
    look(tree)
    assert "train.py" in changes(tree)
    assert not (tree / "ran").exists()


def test_what_is_installed_hidden_or_a_link_is_no_code_of_a_folder(tmp_path):
    for place in (".git-like", "__pycache__", "env/lib", "src"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.py").write_text("1")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    assert changes(tmp_path) == {"src/a.py": EntryKind.FILE}


def test_a_folder_with_too_many_files_is_not_taken_for_code(tmp_path):
    for number in range(code.MAX_FOLDER + 1):
        (tmp_path / f"{number}.py").touch()
    assert code.look(tmp_path, (), ("python", "1.py")).changes == (Entry("1.py", EntryKind.FILE, Digest.of(b"")),)


def test_the_difference_of_tracked_files_is_kept_as_text(tree):
    assert code.difference(tree, ()) == Difference()
    (tree / "train.py").write_text("print(2)\n")
    (tree / "other.py").write_text("untracked")
    text = code.difference(tree, ()).text
    assert "-print(1)\n+print(2)\n" in text
    assert "untracked" not in text
    assert code.difference(tree, ("other.py",)) == Difference()
    assert code.difference(tree, (), keep=False) == Difference(left_out=True)
    (tree / "train.py").write_text("x\n" * code.MAX_DIFF)
    assert code.difference(tree, ()) == Difference(left_out=True)


def test_a_difference_that_is_no_utf_8_can_be_kept(tree):
    (tree / "train.py").write_bytes(b"\xff\xfe\n")
    code.difference(tree, ()).text.encode()


def test_the_difference_starts_no_program_that_a_repository_names(tree, tmp_path):
    seen = tmp_path / "seen"
    program = f"touch {seen}; cat"
    for name in ("diff.external", "diff.x.textconv", "diff.x.command"):
        git(tree, "config", name, program)
    (tree / ".gitattributes").write_text("*.py diff=x\n")
    (tree / "train.py").write_text("print(2)\n")
    assert "+print(2)" in code.difference(tree, ()).text
    assert not seen.exists()

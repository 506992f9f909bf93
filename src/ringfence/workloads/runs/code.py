"""What code a run is about to use: the commit of a git repository and what differs from it, or files by name."""

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence import components
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.storage.files import explained, read_bounded
from ringfence.workloads.runs.model import (
    MAX_CHANGES,
    MAX_DIFF,
    MAX_SHIPPED,
    MAX_SHIPPED_BYTES,
    Code,
    CodeKind,
    Difference,
    Entry,
    EntryKind,
)

MAX_FILE = 64 * 2**20
MAX_FOLDER = 512  # files of code of a folder without a repository
_CODE = frozenset(
    {
        *(".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".go", ".java", ".jl", ".js", ".lua", ".m", ".pl", ".r", ".rs"),
        *(".ipynb", ".py", ".pyi", ".pyx", ".scala", ".sh", ".ts", ".cfg", ".ini", ".lock", ".toml", ".yaml", ".yml"),
    }
)
_SECONDS = 120
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false")
_OWN_SCOPES = {"local", "worktree"}
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Repository:
    """A git working tree."""

    top: Path
    commit: str
    without: Mapping[str, str]  # takes out the programs that the repository itself names

    def git(self, *arguments: str) -> bytes:
        """Run git here; raise `Unavailable` with what it says."""
        done = _git(self.top, *arguments, environment=self.without)
        if done.returncode:
            raise Unavailable(f"git cannot read {self.top}: {_said(done)}")
        return done.stdout

    def tracked(self) -> dict[str, str]:
        """Return the mode of each path in the index."""
        found = {}
        for record in _records(self.git("ls-files", "-z", "--stage")):
            head, _, path = record.partition("\t")
            found[path] = head.split()[0]
        return found

    def untracked(self) -> list[str]:
        """Return the paths that are neither tracked nor ignored."""
        return _records(self.git("ls-files", "-z", "--others", "--exclude-standard"))

    def changed(self) -> list[str]:
        """Return each path that may differ from the commit: also those that git was told not to look at."""
        status = self.git(
            "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none"
        )
        found = {record[3:] for record in _records(status)}
        for record in _records(self.git("ls-files", "-z", "-v")):
            tag, _, path = record.partition(" ")
            if tag.islower() or (tag == "S" and os.path.lexists(self.top / path)):
                found.add(path)  # assume-unchanged, skip-worktree
        return sorted(found)


def repository(folder: Path) -> Repository | None:
    """Return the working tree that a folder is in, None where it is in none.

    Raises:
        Unavailable: there is one, and git is missing or cannot read it.
    """
    marked = [above.resolve() for above in (folder, *folder.parents) if os.path.lexists(above / ".git")]
    if not marked:
        return None
    said = _git(folder, "rev-parse", "--show-toplevel")
    if said.returncode:
        raise Unavailable(f"git cannot read the repository of {folder}: {_said(said)}")
    top = Path(os.fsdecode(said.stdout.removesuffix(b"\n")))
    if top.resolve() not in marked:  # by core.worktree; its files would be sent to a node
        raise Unavailable(f"the repository of {folder} names another folder as its tree: {top}; name files with --code")
    head = _git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return Repository(top, head.stdout.decode("ascii").strip(), _without_filters(top))


def _without_filters(top: Path) -> dict[str, str]:
    """Return what empties the filters that a repository's own configuration names: git would start them to look."""
    pattern = r"^filter\..*\.(clean|process|required)$"
    said = _records(_git(top, "config", "--null", "--show-scope", "--name-only", "--get-regexp", pattern).stdout)
    names = [name for scope, name in zip(said[::2], said[1::2], strict=True) if scope in _OWN_SCOPES]
    emptied = {"GIT_CONFIG_COUNT": str(len(names))}
    for at, name in enumerate(names):
        emptied |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": ""}
    return emptied


def difference(folder: Path, named: Sequence[str], *, keep: bool = True) -> Difference:
    """Return how the tracked files differ from the commit, as text that can be kept; nothing where files are named.

    What is not tracked, and what is no text, is named by its digest alone.
    """
    found = None if named else repository(folder)
    if found is None or not found.commit:
        return Difference()
    said = found.git(
        "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--full-index",
        "--ignore-submodules=dirty", "HEAD", "--",
    )  # fmt: skip
    if not said:
        return Difference()
    if not keep or len(said) > MAX_DIFF:
        return Difference(left_out=True)
    return Difference(said.decode("utf-8", "backslashreplace"))


def look(folder: Path, named: Sequence[str], command: Sequence[str], besides: Sequence[Path] = ()) -> Code:
    """Say what code a command uses that runs here: the repository `besides` some places, else the files named."""
    found = repository(folder)
    if found is not None and not named:
        changes = _outside(found.top, found.changed(), besides)
        if len(changes) > MAX_CHANGES:
            raise UsageError(f"{len(changes)} files differ from the commit; commit them, or ignore what is no code")
        modes = found.tracked()
        return Code(CodeKind.GIT, found.commit, tuple(_entry(found.top, path, modes.get(path)) for path in changes))
    paths = files_named(folder, named, command)
    if not named:
        paths = sorted({*paths, *_outside(folder, _of_folder(folder), besides)})
    return Code(CodeKind.FILES if paths else CodeKind.NONE, changes=tuple(_entry(folder, path) for path in paths))


@dataclass(frozen=True, slots=True)
class Parcel:
    """The code that is sent to a node: the bytes whose digests are stated."""

    code: Code
    files: tuple[tuple[str, bool, bytes], ...]  # path, executable, content
    cwd: str = ""  # of the command, below the code


def _outside(top: Path, paths: Iterable[str], besides: Sequence[Path]) -> list[str]:
    """Leave out what the run itself writes."""
    places = [place.absolute() for place in besides]
    return [path for path in paths if not any((top / path).is_relative_to(place) for place in places)]


def pack(folder: Path, named: Sequence[str], command: Sequence[str], besides: Sequence[Path] = ()) -> Parcel:
    """Read what code is sent to a node; links and submodules are refused, since what they stand for is not sent."""
    found = repository(folder)
    if found is None or named:
        paths = files_named(folder, named, command)
        files = tuple(_read_all(folder, paths))
        entries = tuple(_of(*file) for file in files)
        return Parcel(Code(CodeKind.FILES if files else CodeKind.NONE, shipped=entries), files)
    modes = found.tracked()
    for path, mode in modes.items():
        if mode == _SUBMODULE:
            raise UsageError(f"{path!r} is a submodule, which is not sent to a node; name the files with --code")
    present = [path for path in modes if os.path.lexists(found.top / path)]
    files = tuple(_read_all(found.top, sorted({*present, *_outside(found.top, found.untracked(), besides)})))
    here = look(folder, (), (), besides)
    cwd = folder.resolve().relative_to(found.top.resolve())
    code = Code(CodeKind.GIT, here.commit, here.changes, tuple(_of(*file) for file in files))
    return Parcel(code, files, "" if cwd == Path() else str(cwd))


def _of_folder(folder: Path) -> list[str]:
    """Return the files of a folder without a repository that look like code; none where there are too many to be that.

    What is hidden, what a package manager installed, and homes of ours are left out.
    """
    found: list[str] = []
    for where, folders, names in os.walk(folder):
        place = Path(where)
        folders[:] = sorted(name for name in folders if not _is_foreign(place / name))
        found += [str((place / name).relative_to(folder)) for name in sorted(names) if _looks_like_code(place / name)]
        if len(found) > MAX_FOLDER:
            return []
    return found


def _is_foreign(folder: Path) -> bool:
    marks = ("pyvenv.cfg", "conda-meta", "root.key.json", "home.json")
    hidden = folder.name.startswith(".") or folder.name in {"__pycache__", "node_modules", "site-packages"}
    return hidden or any(os.path.lexists(folder / mark) for mark in marks)


def _looks_like_code(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in _CODE and path.is_file() and not path.is_symlink()


def files_named(folder: Path, named: Sequence[str], command: Sequence[str]) -> list[str]:
    """Return the files of `--code`, or those that the command line names, by their paths below the folder."""
    found = set()
    for word in named or command:
        path = _below(folder, word)
        if path is not None and (folder / path).is_file():
            found.add(path)
        elif named:
            raise NotFound(f"--code names {word!r}, which is no file below {folder}")
    return sorted(found)


def _below(folder: Path, word: str) -> str | None:
    if not word or "\0" in word or len(word) > 4096:
        return None
    with suppress(ValueError, OSError):
        return str((folder / word).absolute().relative_to(folder.absolute()))
    return None


def _read_all(folder: Path, paths: Iterable[str]) -> Iterator[tuple[str, bool, bytes]]:
    total = count = 0
    for path in paths:
        mode = _mode(folder / path)
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path!r} is not a plain file, and is not sent to a node; name the files with --code")
        data = read_bounded(folder / path, limit=MAX_FILE)
        total, count = total + len(data), count + 1
        if total > MAX_SHIPPED_BYTES or count > MAX_SHIPPED:
            raise UsageError(
                f"the code has more than {MAX_SHIPPED} files or {MAX_SHIPPED_BYTES} bytes; name the files with --code"
            )
        yield path, bool(mode & stat.S_IXUSR), data


def _mode(path: Path) -> int:
    with explained(path, "read"):
        return path.stat(follow_symlinks=False).st_mode


def _of(path: str, executable: bool, data: bytes) -> Entry:  # noqa: FBT001 - as they stand in a parcel
    return Entry(_text(path), EntryKind.EXECUTABLE if executable else EntryKind.FILE, Digest.of(data))


def _entry(folder: Path, path: str, git_mode: str | None = None) -> Entry:
    """Describe what is at a path now."""
    try:
        mode = (folder / path).stat(follow_symlinks=False).st_mode
    except OSError:
        return Entry(_text(path), EntryKind.DELETED, Digest.of(b""))
    if git_mode == _SUBMODULE or stat.S_ISDIR(mode):  # a nested repository that is not tracked ends with a slash
        state = _git(folder / path, "rev-parse", "HEAD").stdout + _git(folder / path, "status", "--porcelain").stdout
        return Entry(_text(path), EntryKind.SUBMODULE, Digest.of(state))
    if stat.S_ISLNK(mode):
        return Entry(_text(path), EntryKind.LINK, Digest.of(os.fsencode((folder / path).readlink())))
    return _of(path, bool(mode & stat.S_IXUSR), read_bounded(folder / path, limit=MAX_FILE))


def _text(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _records(data: bytes) -> list[str]:
    return [os.fsdecode(record) for record in data.split(b"\0") if record]


def _git(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    program = components.find("git")
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    quiet["GIT_ALLOW_PROTOCOL"] = ""  # none: what is missing is not fetched
    try:
        return subprocess.run(  # noqa: S603 - found, not typed
            [str(program.path), *_QUIET, *arguments],
            cwd=folder,
            env={**program.environment, **kept, **quiet, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"git takes more than {_SECONDS} s in {folder}") from error


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (lines[0] if lines else f"it ended with {done.returncode}")[:300]

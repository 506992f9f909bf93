"""The tree as the architecture tests see it: parsed sources, and every text that git tracks or would track."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".txt",
    ".cfg",
    ".ini",
    ".json",
    ".cedar",
    "",
}
LARGEST_TEXT = 2_000_000


@dataclass(frozen=True)
class File:
    """One file: its path from the project's root, and what it says."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def within(self) -> tuple[str, ...]:
        """Return the parts below the package: ("ledger", "tree.py")."""
        return self.path.parts[2:]


def _listed() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({Path(name) for name in out.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def texts() -> list[File]:
    """Every tracked text file that a person may read."""
    paths = [path for path in _listed() if path.suffix in TEXT and (ROOT / path).stat().st_size < LARGEST_TEXT]
    return [File(path, (ROOT / path).read_text(encoding="utf-8", errors="replace")) for path in paths]


@pytest.fixture(scope="session")
def product(texts: list[File]) -> list[File]:
    """The modules that run in production: `src` without the fakes."""
    return [
        file
        for file in texts
        if file.path.suffix == ".py"
        and file.path.parts[:2] == ("src", "ringfence")
        and "testing" not in file.path.parts
    ]


@pytest.fixture(scope="session")
def tests(texts: list[File]) -> list[File]:
    return [file for file in texts if file.path.suffix == ".py" and file.path.parts[0] == "tests"]


@pytest.fixture(scope="session")
def sample():
    """Make a file that does not exist, to show that a rule sees what it forbids."""
    return lambda path, text="": File(Path(path), text)


@pytest.fixture(scope="session")
def check():
    """Fail with every complaint on a line of its own."""

    def none_of(complaints: list[str]) -> None:
        assert not complaints, "\n" + "\n".join(complaints)

    return none_of

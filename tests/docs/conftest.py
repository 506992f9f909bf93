"""The documents, and the command line that they talk about."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def pages() -> dict[Path, str]:
    """Every Markdown page that git tracks or would track, by its path from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = sorted({Path(name) for name in out.split("\0") if name and (ROOT / name).is_file()})
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}


@pytest.fixture(scope="session")
def reference():
    """The program that writes the reference of the command line."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import write_reference
    finally:
        sys.path.pop(0)
    return write_reference


@pytest.fixture(scope="session")
def verbs(reference) -> set[tuple[str, ...]]:
    """Every verb as a path: ("ringfence", "dataset", "seal")."""
    from typer.main import get_command

    from ringfence.main import app

    return {path for path, _ in reference.verbs(get_command(app), ("ringfence",))}


@pytest.fixture(scope="session")
def check():
    """Fail with every complaint on a line of its own."""

    def none_of(complaints: list[str]) -> None:
        assert not complaints, "\n" + "\n".join(complaints)

    return none_of

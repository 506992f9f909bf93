"""Each import contract is broken on purpose in a copy of the tree, and the linter must say so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CACHES = shutil.ignore_patterns("__pycache__")

# contract, file to write or to extend, the import that it must not have
VIOLATIONS = [
    pytest.param("stack", "artifacts/model.py", "import ringfence.ledger.model", id="a capability imports its sibling"),
    pytest.param("stack", "ledger/novel.py", "import ringfence.obligations.model", id="the ledger asks the verdicts"),
    pytest.param("stack", "kernel/digest.py", "import ringfence.storage.files", id="the kernel reaches up"),
    pytest.param("stack", "app.py", "import ringfence.testing", id="the product runs on fakes"),
    pytest.param("stack", "toolbox.py", "", id="an unlisted top-level module"),
    pytest.param("inside", "ledger/service.py", "import ringfence.ledger.store", id="a service imports its store"),
    pytest.param("inside", "ledger/store.py", "import ringfence.ledger.service", id="a store imports its service"),
    pytest.param("inside", "ledger/model.py", "import ringfence.ledger.ports", id="a model knows its ports"),
    pytest.param("pure", "ledger/novel.py", "import httpx", id="a new pure module speaks HTTP"),
    pytest.param("pure", "ledger/tree.py", "import time", id="a decision looks at the clock"),
    pytest.param("pure", "ledger/service.py", "import sqlite3", id="a service opens a database"),
    pytest.param("pure", "obligations/assess.py", "import sqlalchemy", id="a verdict asks the database"),
    pytest.param("pure", "obligations/scope/rules.py", "import random", id="a rule throws dice"),
    pytest.param("pure", "kernel/errors.py", "import os", id="the kernel touches the world"),
    pytest.param("acyclic", "ledger/tree.py", "import ringfence.ledger.tiletree", id="a cycle between siblings"),
]


@pytest.fixture(scope="module")
def copy(root, tmp_path_factory):
    """Return a function that lints a copy of the tree in which one file has one more line."""
    place = tmp_path_factory.mktemp("tree")
    shutil.copytree(root / "src", place / "src", ignore=CACHES)
    shutil.copy(root / "pyproject.toml", place)
    package = place / "src" / "ringfence"

    def lint(contract: str, file: str = "", line: str = "") -> subprocess.CompletedProcess[str]:
        path = package / file
        before = path.read_bytes() if file and path.exists() else None
        if file:
            path.write_text((before or b"").decode() + "\n" + line + "\n")
        try:
            return _lint(place, contract)
        finally:
            if before is not None:
                path.write_bytes(before)
            elif file:
                path.unlink()

    return lint


def _lint(place: Path, contract: str) -> subprocess.CompletedProcess[str]:
    only = ["--contract", contract] if contract else []
    command = [Path(sys.executable).with_name("lint-imports"), *only, "--cache-dir", place / "cache"]
    environment = {**os.environ, "PYTHONPATH": str(place / "src"), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def test_the_tree_keeps_every_contract(copy):
    done = copy("")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_the_linter_sees_a_violation(copy, contract, file, line):
    done = copy(contract, file, line)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout

"""The locks: every package with hashes, no host in them, and one version in all of them."""

import re
import tomllib

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$")


def pins(text):
    return {(match[1], match[3] or ""): match[2] for line in text.splitlines() if (match := PIN.match(line))}


def complaints(name, text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (PIN.match(line) or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)):
            found.append(f"{name}:{number}: neither a pin nor a hash: {line}")
    return found


def test_locks_hold_pins_and_hashes_and_nothing_else(root, check):
    locks = sorted((root / "requirements").glob("*.txt"))
    assert {lock.name for lock in locks} == {"dev.txt", "run.txt", "uv.txt"}
    check([problem for lock in locks for problem in complaints(lock.name, lock.read_text())])


def test_what_runs_is_what_was_tested(root):
    run = pins((root / "requirements" / "run.txt").read_text())
    dev = pins((root / "requirements" / "dev.txt").read_text())
    assert run
    # What runs on some systems only may be locked for all of them among the test's own, never the other way round.
    assert {key: dev.get(key) or dev.get((key[0], "")) for key in run} == run


def test_every_declared_dependency_is_locked(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    declared = project["project"]["dependencies"] + [name for group in groups.values() for name in group]
    names = {re.split(r"[\[<>=~! ]", name)[0].lower() for name in declared}
    locked = {name for name, _ in pins((root / "requirements" / "dev.txt").read_text())}
    assert names - locked == set()


def test_the_default_path_needs_no_heavy_engine(root):
    locked = {name for name, _ in pins((root / "requirements" / "run.txt").read_text())}
    assert locked & {"torch", "tensorflow", "transformers", "pyarrow", "duckdb"} == set()


def test_the_rule_sees_an_index_line():
    assert complaints("x", "--index-url https://example.org/simple\n")
    assert complaints("x", "fastapi>=0.1\n")

"""Files: where they are, what they are called, how long they are, and that each has its test."""

import ast
from pathlib import Path

VAGUE = {"base", "common", "core", "handlers", "helper", "helpers", "manager", "misc", "stuff", "util", "utils"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
SHORT_ENOUGH_WITHOUT_TEST = 20

# Modules whose test is elsewhere, each with the reason. The list may shrink, not grow.
TESTED_ELSEWHERE = {
    "ports": "protocols: the contract suites in tests/contract run against them",
    "api": "routes: tests/system drives them over HTTP",
    "cli": "verbs: tests/system drives them as a person would",
    "console": "pages: tests/system and tests/browser look at them",
    "env": "Alembic's entry: run by every test that opens a database",
    "app": "the composition root: whatever goes through a front end runs on it",
}


def vague_names(files):
    return [
        f"{file.path}: a name that says nothing; its missing noun is the work"
        for file in files
        if file.path.stem in VAGUE or VAGUE & set(file.path.parts[:-1])
    ]


def long_files(files):
    return [f"{file.path}: {file.lines} lines" for file in files if file.lines > LONGEST_FILE]


def long_functions(files):
    found = []
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{file.path}:{node.lineno}: {node.name} has {length} lines")
    return found


def wanted_test(file):
    """Say where the test of a module is: src/ringfence/ledger/tree.py -> tests/unit/ledger/test_tree.py."""
    return Path("tests", "unit", *file.within[:-1], f"test_{file.path.stem.lstrip('_')}.py")


def behaves(file):
    """Say whether a module does anything; one that only names types has nothing to test."""
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(file.tree))


def missing_tests(files, present):
    return [
        f"{file.path}: no {wanted_test(file)}"
        for file in files
        if file.lines > SHORT_ENOUGH_WITHOUT_TEST
        and file.path.stem != "__init__"
        and "versions" not in file.path.parts  # migrations: the schema test runs them all
        and file.path.stem not in TESTED_ELSEWHERE
        and behaves(file)
        and wanted_test(file) not in present
    ]


def test_no_module_has_a_name_that_says_nothing(product, tests, check):
    check(vague_names([*product, *tests]))


def test_files_stay_short(product, check):
    check(long_files(product))


def test_functions_stay_short(product, check):
    check(long_functions(product))


def test_every_module_has_its_test(product, tests, check):
    check(missing_tests(product, {file.path for file in tests}))


def test_every_unit_test_has_its_module(product, tests, check):
    wanted = {wanted_test(file) for file in product}
    mirrors = [
        file.path for file in tests if file.path.parts[:2] == ("tests", "unit") and file.path.name.startswith("test_")
    ]
    orphans = [str(path) for path in mirrors if path not in wanted and path.parts[2] != "testing"]
    check(orphans)


def test_every_folder_of_the_package_is_a_package(product, check):
    packages = {file.path.parent for file in product if file.path.name == "__init__.py"}
    check(
        [str(file.path) for file in product if file.path.parent not in packages and "versions" not in file.path.parts]
    )


def test_the_rules_see_what_they_forbid(sample):
    bad = sample("src/ringfence/ledger/utils.py", "def f():\n" + "    pass\n" * 500)
    assert vague_names([bad])
    assert long_files([bad])
    assert long_functions([bad])
    assert missing_tests([bad], set())
    assert not missing_tests([bad], {Path("tests/unit/ledger/test_utils.py")})

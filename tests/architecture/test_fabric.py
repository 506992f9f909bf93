"""The privileged helper stays small and leans on nothing: standard library, error family, where programs are."""

import ast
import sys

OURS_ALLOWED = ("ringfence.fabric", "ringfence.components", "ringfence.kernel.errors")
UNPRIVILEGED = {"client.py", "connect.py", "launch.py", "model.py"}  # run as whoever calls
MOST_CODE = 1210


def imports(file):
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(name, places):
    return any(name == place or name.startswith(f"{place}.") for place in places)


def foreign_imports(files):
    return [
        f"{file.path}: imports {name}"
        for file in files
        for name in imports(file)
        if name.split(".")[0] not in sys.stdlib_module_names and not under(name, OURS_ALLOWED)
    ]


def code_lines(file):
    """Count the lines that do something: no blank lines, no comments, no docstrings."""
    quiet = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            quiet |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(file.text.splitlines(), start=1)
    return sum(1 for number, line in lines if number not in quiet and line.strip() and not line.strip().startswith("#"))


def fabric(product):
    """Return its files, and the one it shares with the rest: the same rules hold for that."""
    return [file for file in product if file.within[0] in {"fabric", "components.py"}]


def test_the_fabric_leans_on_nothing(product, check):
    assert fabric(product)
    check(foreign_imports(fabric(product)))


def test_the_privileged_part_can_be_read_in_an_hour(product):
    privileged = [file for file in fabric(product) if file.path.name not in UNPRIVILEGED]
    assert sum(code_lines(file) for file in privileged) <= MOST_CODE


def test_the_privileged_part_does_not_reach_into_the_rest(product, check):
    privileged = [file for file in fabric(product) if file.path.name not in UNPRIVILEGED]
    rest = {f"ringfence.fabric.{name.removesuffix('.py')}" for name in UNPRIVILEGED - {"model.py"}}
    check([f"{file.path}: imports {name}" for file in privileged for name in imports(file) if under(name, rest)])


def test_the_rules_see_what_they_forbid(sample):
    bad = sample(
        "src/ringfence/fabric/keeper.py", '"""Doc."""\n\nimport httpx\nfrom ringfence.storage import x\n# why\n'
    )
    assert len(foreign_imports([bad])) == 2
    assert code_lines(bad) == 2

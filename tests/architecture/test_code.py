"""Habits of the code that neither the linter nor the type checker can hold."""

import ast
from itertools import pairwise


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def dotted(node):
    """Return `a.b.c` of an expression, as far as it is one."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
    return ""


def melting_types(files):
    """Find dataclasses in a model that are not frozen with slots."""
    found = []
    for file in files:
        if file.path.name != "model.py":
            continue
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                name = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
                if name.split(".")[-1] != "dataclass":
                    continue
                arguments = decorator.keywords if isinstance(decorator, ast.Call) else []
                true = {k.arg for k in arguments if isinstance(k.value, ast.Constant) and k.value.value is True}
                if not {"frozen", "slots"} <= true:
                    found.append(f"{file.path}:{node.lineno}: {node.name} is not frozen with slots")
    return found


DANGEROUS_CALLS = {
    "eval": "it executes what it reads",
    "exec": "it executes what it reads",
    "os.system": "no shell",
    "os.popen": "no shell",
    "pickle.load": "it executes what it reads",
    "pickle.loads": "it executes what it reads",
    "joblib.load": "it is pickle",
    "marshal.loads": "it trusts what it reads",
    "tempfile.mktemp": "somebody else may be faster",
    "yaml.load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
}


def dangerous_calls(files):
    found = []
    for file in files:
        for call in calls(file.tree):
            name = dotted(call.func)
            if name in DANGEROUS_CALLS:
                found.append(f"{file.path}:{call.lineno}: {name}: {DANGEROUS_CALLS[name]}")
            for keyword in call.keywords:
                if keyword.arg == "shell" and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    found.append(f"{file.path}:{call.lineno}: shell=…: pass a list of arguments")
                if keyword.arg == "verify" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False:
                    found.append(f"{file.path}:{call.lineno}: verify=False: name the certificate instead")
    return found


def commands_that_import_from_where_they_are_started(files):
    """Find `python -m`, which looks for every module in the folder of whoever calls it first; `-I` does not."""
    return [
        f"{file.path}:{node.lineno}: -m without -I: a file beside the caller could stand in for a module"
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.List | ast.Tuple)
        for program, option in pairwise(node.elts)
        if dotted(program) == "sys.executable" and isinstance(option, ast.Constant) and option.value == "-m"
    ]


def mocks(files):
    found = []
    for file in files:
        for node in ast.walk(file.tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any("mock" in name.split(".")[:2] for name in names):
                found.append(f"{file.path}:{node.lineno}: a mock; is there a fake behind a port instead?")
            if isinstance(node, ast.Call) and dotted(node.func) in {"monkeypatch.setattr", "monkeypatch.setitem"}:
                found.append(f"{file.path}:{node.lineno}: {dotted(node.func)}: only the environment may be patched")
    return found


def verdicts_that_can_be_ignored(files):
    """Find functions called verify_… that return a truth value: ignoring it would be unsafe."""
    return [
        f"{file.path}:{node.lineno}: {node.name} returns bool; return the verified value or raise"
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.lstrip("_").startswith("verify")
        and dotted(node.returns) == "bool"
    ]


def swallowed_errors(files):
    found = []
    for file in files:
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or dotted(node.type) in {"Exception", "BaseException"}
            if broad and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body):
                found.append(f"{file.path}:{node.lineno}: swallows every error")
    return found


BUILT_IN = {"Exception", "KeyError", "RuntimeError", "TypeError", "ValueError"}
# What another library's protocol asks for, by file.
PROTOCOLS = {"src/ringfence/artifacts/filesystem.py": "io.RawIOBase: `seek` raises ValueError"}


def foreign_errors(files):
    """Find errors raised in the product that are not of the family and would reach a person as a traceback."""
    return [
        f"{file.path}:{node.lineno}: raises {name}; use the family in ringfence.kernel.errors"
        for file in files
        if str(file.path) not in PROTOCOLS
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and (name := dotted(node.exc.func)) in BUILT_IN
    ]


def test_model_types_are_frozen(product, check):
    check(melting_types(product))


def test_nothing_executes_what_it_reads(product, check):
    check(dangerous_calls(product))


def test_our_own_processes_import_what_is_installed(product, check):
    check(commands_that_import_from_where_they_are_started(product))


def test_no_mocks(tests, check):
    check(mocks(tests))


def test_verdicts_cannot_be_ignored(product, check):
    check(verdicts_that_can_be_ignored(product))


def test_no_error_is_swallowed(product, check):
    check(swallowed_errors(product))


def test_only_the_error_family_is_raised(product, check):
    check(foreign_errors(product))


BAD = """
from unittest import mock
@dataclass(frozen=True)
class Thing: ...
def verify_thing(x) -> bool:
    try:
        yaml.load(x)
        subprocess.run("ls", shell=True)
        subprocess.run([sys.executable, "-m", "ringfence"])
        httpx.get("", verify=False)
    except Exception:
        pass
    raise ValueError("x")
def patch(monkeypatch):
    monkeypatch.setattr(a, "b", 1)
"""


def test_the_rules_see_what_they_forbid(sample):
    bad = [sample("src/ringfence/ledger/model.py", BAD)]
    assert melting_types(bad)
    assert len(dangerous_calls(bad)) == 3
    assert commands_that_import_from_where_they_are_started(bad)
    assert len(mocks(bad)) == 2
    assert verdicts_that_can_be_ignored(bad)
    assert swallowed_errors(bad)
    assert foreign_errors(bad)

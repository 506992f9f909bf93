"""Promises of the threat model that are properties of the code as a whole."""

import ast
import re

WRITES = {"post", "put", "patch", "delete"}
METHODS = WRITES | {"get", "head", "options", "api_route", "websocket"}
# Who has no account yet must be able to come in; nothing else is open.
OPEN = {"login", "/login", "/logout", "/healthz", "/login/oidc", "/login/oidc/callback"}
OPEN |= {"/login/ask", "/login/passkey", "/login/code", "/login/recovery"}
HTTP_CLIENTS = {"aiohttp", "http.client", "httpx", "requests", "smtplib", "urllib.request", "urllib3", "websockets"}
MAY_CALL_OUT = {
    "src/ringfence/frontends/client.py": "speaks to the API that the operator named",
    "src/ringfence/workloads/probing.py": "asks an engine at the address that a person attaches, over verified TLS",
    "src/ringfence/ledger/anchoring/remote.py": "asks the witnesses and time-stamping authorities that a person named",
    "src/ringfence/identity/federation/providers.py": "asks the identity provider that the home names, over TLS",
    "src/ringfence/tour/serve.py": "asks the gateway of this machine, as a caller would",
    "src/ringfence/workloads/intake/fetching.py": "fetches a model from a server that the tenant's gate file names",
    "src/ringfence/workloads/console/asking.py": "asks the gateway of this machine what a person typed",
    "src/ringfence/soc/notifier.py": "sends alerts where the operator said, over verified TLS",
}
LOADS = re.compile(
    r"""(?:\b(?:src|href|action|poster|data|hx-get|hx-post|sse-connect)\s*=\s*["']?|url\(\s*["']?|@import\s+["'])"""
    r"""((?:https?:)?//[^"')\s>]+)""",
    re.IGNORECASE,
)


def routes(files):
    """Return file, function, method and path of every route."""
    for file in files:
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str() as path), *_]) if (
                        method in METHODS and path.startswith("/")
                    ):
                        yield file, node, method, path


def open_routes(files):
    """Find routes whose caller is not asked for by `Depends(require(action))`."""
    found = []
    for file, node, method, path in routes(files):
        aliases = {
            target.id: ast.unparse(step.value)
            for step in file.tree.body
            if isinstance(step, ast.Assign)
            for target in step.targets
            if isinstance(target, ast.Name)
        }
        given = [ast.unparse(argument.annotation) for argument in node.args.args if argument.annotation]
        asked = any(re.search(r"Depends\(require(_caller)?\(", aliases.get(text, text)) for text in given)
        if not asked and path not in OPEN:
            found.append(f"{file.path}:{node.lineno}: {method.upper()} {path} asks nobody who they are")
    return found


def _name(node):
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_satisfied(node):
    return isinstance(node, ast.Attribute) and node.attr == "SATISFIED" and _name(node.value) == "State"


def deciders(files):
    """Find places beside `assess` that build a verdict of "satisfied", or turn another one into it."""
    return [
        f"{file.path}:{call.lineno}: decides that something is satisfied"
        for file in files
        if file.within != ("obligations", "assess.py")
        for call in ast.walk(file.tree)
        if isinstance(call, ast.Call)
        and _name(call.func) in {"Verdict", "ControlResult", "Result", "replace"}
        and any(
            _is_satisfied(part)
            for argument in [*call.args, *(k.value for k in call.keywords)]
            for part in ast.walk(argument)
        )
    ]


def status_setters(files):
    return [
        f"{file.path}:{node.lineno}: {method.upper()} {path} would set a status"
        for file, node, method, path in routes(files)
        if method in WRITES and re.search(r"/(?:status|controls?|verdicts?|assessments?)\b", path)
    ]


def callers_out(files):
    found = []
    for file in files:
        if str(file.path) in MAY_CALL_OUT:
            continue
        for node in ast.walk(file.tree):
            match node:
                case ast.Import(names=names):
                    imported = {alias.name for alias in names}
                case ast.ImportFrom(module=str() as module, names=names):
                    imported = {module} | {f"{module}.{alias.name}" for alias in names}
                case _:
                    continue
            found += [f"{file.path}:{node.lineno}: {name}" for name in sorted(imported & HTTP_CLIENTS)]
    return found


def foreign_hosts(files):
    return [
        f"{file.path}: loads {match[1]}"
        for file in files
        if file.path.suffix in {".html", ".css", ".js", ".svg"} and file.path.parts[0] == "src"
        for match in LOADS.finditer(file.text)
    ]


def test_every_route_asks_who_is_calling(product, check):
    assert len(list(routes(product))) > 10
    check(open_routes(product))


def test_only_assess_decides_a_status(product, check):
    check(deciders(product) + status_setters(product))


def test_nothing_calls_out(product, check):
    check(callers_out(product))


def test_no_foreign_host_in_what_a_browser_loads(texts, check):
    check(foreign_hosts(texts))


BAD = """
import httpx
from urllib import request
@routes.get("/people")
def people(page: int): ...
@routes.post("/controls/{id}/status")
def set_status(caller: Annotated[Person, Depends(require("x"))]):
    return Verdict(State.SATISFIED, "because I say so"), replace(worst, state=State.SATISFIED if x else worst.state)
"""


def test_the_rules_see_what_they_forbid(sample):
    bad = [sample("src/ringfence/soc/api.py", BAD)]
    assert len(open_routes(bad)) == 1
    assert len(deciders(bad)) == 2
    assert len(status_setters(bad)) == 1
    assert len(callers_out(bad)) == 2
    page = '<script src="//cdn.example/x.js"></script><style>a { b: url(https://fonts.example/f) }</style><a href="/x">'
    assert len(foreign_hosts([sample("src/ringfence/frontends/pages/x.html", page)])) == 2

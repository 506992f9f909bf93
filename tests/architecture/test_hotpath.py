"""What the process of the gateway must never load: frameworks, client libraries, the database."""

import ast
import json
import subprocess
import sys

BANNED = {"aiohttp", "alembic", "fastapi", "httpx", "jinja2", "requests", "sqlalchemy", "starlette", "typer", "uvicorn"}
LOADED = """
import json, sys
import ringfence.gateway.hotpath.process
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def banned_imports(files):
    found = []
    for file in files:
        if file.within[:2] != ("gateway", "hotpath"):
            continue
        for node in ast.walk(file.tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{file.path}: {name}" for name in names if name.partition(".")[0] in BANNED]
    return found


def test_the_hot_path_imports_no_framework(product, check):
    assert any(file.within[:2] == ("gateway", "hotpath") for file in product)
    check(banned_imports(product))


def test_nothing_that_the_hot_path_imports_brings_one_in():
    done = subprocess.run([sys.executable, "-I", "-c", LOADED], capture_output=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert "httptools" in loaded
    assert not loaded & BANNED


def test_the_rules_see_what_they_forbid(sample):
    bad = sample("src/ringfence/gateway/hotpath/novel.py", "import httpx\nfrom sqlalchemy import select\n")
    assert len(banned_imports([bad])) == 2

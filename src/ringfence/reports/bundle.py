"""Make the recompute zipapp: one file of the modules that check a pack and compute its status again, nothing else.

It needs Python and `cryptography`. The same sources yield the same bytes: entries are sorted, undated and not
compressed, so that its digest can be stated and whoever has the sources can make it again.
"""

import ast
import io
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from ringfence.obligations import edition

START = "ringfence.reports.recheck"
MAIN = b"""import pkgutil
import sys

from ringfence.reports.recheck import main

sys.exit(main(sys.argv[1:], pkgutil.get_data("ringfence.reports", "rules.json")))
"""
# The rules come as values: what would read YAML is imported here and never called.
NOT_HERE = b"""def __getattr__(name):
    return type(name, (), {})
"""
STUBS = ("yaml/__init__.py", "yaml/events.py", "yaml/nodes.py")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def zipapp() -> bytes:
    """Return the bytes of the zipapp."""
    files = {"__main__.py": MAIN, "ringfence/reports/rules.json": edition.shipped()}
    files |= dict.fromkeys(STUBS, NOT_HERE)
    files |= dict(_sources())
    made = io.BytesIO()
    made.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return made.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    """Yield every module that `START` needs, with the packages around it."""
    waiting, seen = [START], set[str]()
    while waiting:
        name = waiting.pop()
        found = None if name in seen else _source(name)
        seen.add(name)
        if found is None:
            continue  # a name inside a module
        path, source = found
        yield path, source
        waiting += [name.rpartition(".")[0]] if "." in name else []
        waiting += [imported for imported in _imported(ast.parse(source)) if imported.startswith("ringfence.")]


def _source(name: str) -> tuple[str, bytes] | None:
    first, *rest = name.split(".")
    place: Traversable = resources.files(first)
    if not rest:
        return f"{first}/__init__.py", place.joinpath("__init__.py").read_bytes()
    for part in rest[:-1]:
        place = place.joinpath(part)
    for path in (f"{rest[-1]}.py", f"{rest[-1]}/__init__.py"):
        if place.joinpath(path).is_file():
            return "/".join([first, *rest[:-1], path]), place.joinpath(path).read_bytes()
    return None


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield what a module imports anywhere, save for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imported(child)

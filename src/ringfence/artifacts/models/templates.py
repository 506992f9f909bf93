"""Chat templates: programs in Jinja that a loader runs over what people typed. Parsed, never rendered.

A template reaches Python through attributes and filters: whatever begins with an underscore, takes attributes by a name
that is put together, or calls what is on no list, is refused. Some loaders run templates outside a sandbox.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_TEMPLATE = 2**18  # characters; the longest that is known has a twentieth
MAX_NODES = 2**15
FUNCTIONS = frozenset(
    {"caller", "cycler", "dict", "joiner", "namespace", "raise_exception", "range", "strftime_now", "tojson"}
)
FILTERS = frozenset(
    {
        *(
            "abs",
            "batch",
            "capitalize",
            "count",
            "d",
            "default",
            "dictsort",
            "e",
            "escape",
            "first",
            "float",
            "forceescape",
        ),
        *("from_json", "indent", "int", "items", "join", "last", "length", "list", "lower", "max", "min", "replace"),
        *("reverse", "round", "safe", "select", "reject", "slice", "sort", "string", "striptags", "sum", "title"),
        *("tojson", "trim", "truncate", "unique", "upper", "urlencode", "wordcount", "wordwrap"),
        *("map", "selectattr", "rejectattr", "groupby"),  # by a plain name alone, see below
    }
)
_BY_NAME = frozenset({"map", "selectattr", "rejectattr", "groupby", "sort", "unique", "max", "min", "sum", "dictsort"})
METHODS = frozenset(
    {
        *("append", "capitalize", "count", "endswith", "extend", "find", "get", "index", "insert", "isdigit", "items"),
        *("join", "keys", "lower", "lstrip", "pop", "removeprefix", "removesuffix", "replace", "rfind", "rsplit"),
        *("rstrip", "split", "splitlines", "startswith", "strip", "title", "update", "upper", "values"),
    }
)


def danger(text: str) -> str:
    """Return, in one sentence, why a template is refused; empty where it does no more than put text together."""
    from jinja2 import Environment, nodes
    from jinja2.exceptions import TemplateSyntaxError

    if len(text) > MAX_TEMPLATE:
        return f"the template has more than {MAX_TEMPLATE} characters"
    environment = Environment(  # noqa: S701 - nothing is rendered
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    )
    marked = text.replace("{% generation", "{% if true").replace("{%- generation", "{%- if true")
    marked = marked.replace("endgeneration", "endif")  # what Hugging Face adds, to tell who spoke
    try:
        tree = environment.parse(marked)
        own = {one.name for one in tree.find_all(nodes.Macro)}
        for number, node in enumerate(_all(tree)):
            if number > MAX_NODES:
                return f"the template has more than {MAX_NODES} parts"
            if why := _why(node, own):
                return why
    except (TemplateSyntaxError, RecursionError, ValueError, OverflowError) as error:
        return f"the template cannot be parsed: {str(error)[:120]}"
    return ""


def _all(tree: "nodes.Node") -> "Iterator[nodes.Node]":
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _why(node: "nodes.Node", own: set[str]) -> str:
    from jinja2 import nodes

    match node:
        case nodes.Import() | nodes.FromImport() | nodes.Include() | nodes.Extends():
            return "the template loads another one"
        case nodes.Getattr(attr=name) | nodes.NSRef(attr=name) if name.startswith("_"):
            return f"the template takes the attribute {name[:40]}"
        case nodes.Getitem():
            return _why_item(node)
        case nodes.Const(value=str() as value) if "__" in value:
            return f"the template holds the text {value[:40]!r}, a name of Python's own"
        case nodes.Filter(name=name):
            return _why_filter(node, name)
        case nodes.Name(name=name) if name.startswith("_") or name in {
            "self",
            "lipsum",
            "request",
            "config",
            "url_for",
        }:
            return f"the template uses {name[:40]}"
        case nodes.Call():
            return _why_call(node, own)
        case _:
            return ""


def _why_item(node: "nodes.Getitem") -> str:
    from jinja2 import nodes

    match node.arg:
        case nodes.Const(value=str() as name) if name.startswith("_"):
            return f"the template takes the attribute {name[:40]}"
        case nodes.Concat() | nodes.Filter() | nodes.Call() | nodes.Mod() | nodes.CondExpr() | nodes.TemplateData():
            return "the template takes something by a name that it puts together"
        case nodes.Add() as added if any(isinstance(one.value, str) for one in added.find_all(nodes.Const)):
            return "the template takes something by a name that it puts together"
        case _:
            return ""


def _why_filter(node: "nodes.Filter", name: str) -> str:
    from jinja2 import nodes

    if name not in FILTERS:
        return f"the template uses the filter {name[:40]}, which is on no list of what is harmless"
    if name not in _BY_NAME:
        return ""
    for given in (*node.args, *(one.value for one in node.kwargs)):
        if not isinstance(given, nodes.Const):
            if isinstance(given, nodes.Name | nodes.Getattr | nodes.Neg):
                continue
            return f"the filter {name} takes attributes by a name that the template puts together"
        if isinstance(given.value, str) and (given.value.startswith("_") or "._" in given.value):
            return f"the filter {name} takes the attribute {given.value[:40]}"
        if name == "map" and given.value in {"attr", "format", "xmlattr"}:
            return f"the filter map applies {given.value}"
    return ""


def _why_call(node: "nodes.Call", own: set[str]) -> str:
    from jinja2 import nodes

    match node.node:
        case nodes.Name(name=name) if name in FUNCTIONS | own:
            return ""
        case nodes.Getattr(attr=name) if name in METHODS:
            return ""
        case nodes.Name(name=name) | nodes.Getattr(attr=name):
            return f"the template calls {name[:40]}, which is on no list of what is harmless"
        case _:
            return "the template calls what it computes"

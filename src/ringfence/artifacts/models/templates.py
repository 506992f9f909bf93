"""Chat templates: programs in Jinja that a loader runs over what people typed. Parsed, never rendered.

A template reaches Python through attributes and filters: whatever begins with an underscore, takes attributes by a name
that is put together, or calls what is on no list, is refused. A name on the lists stays what the loader gave it, and is
called and nothing else: functions of Python know everything around them. Some loaders run templates outside a sandbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ringfence.artifacts.models.composing import below, composed_in, is_composed

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
_FOREIGN = frozenset({"config", "lipsum", "request", "self", "url_for"})
_GIVEN = FUNCTIONS | {"loop"}  # by the loader, or by Jinja itself
_ASKED = frozenset({"callable", "defined", "none", "undefined"})  # tests that look at a name and not into it
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
    from jinja2 import Environment
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
        parts = list(islice(below(tree), MAX_NODES + 1))
        if len(parts) > MAX_NODES:
            return f"the template has more than {MAX_NODES} parts"
        return _judged(parts)
    except (TemplateSyntaxError, RecursionError, ValueError, OverflowError) as error:
        return f"the template cannot be parsed: {str(error)[:120]}"


@dataclass(slots=True)
class _Known:
    """What a template does with names."""

    macros: set[str] = field(default_factory=set)
    called: set[int] = field(default_factory=set)  # nodes of names that are called, asked about, or a loop's
    composed: set[str] = field(default_factory=set)  # variables that may hold a text that was put together


def _judged(parts: "Sequence[nodes.Node]") -> str:
    from jinja2 import nodes

    known = _Known({one.name for one in parts if isinstance(one, nodes.Macro)})
    for node in parts:
        match node:
            case nodes.Call(node=nodes.Name() as name) | nodes.Test(node=nodes.Name() as name, name=_) if (
                not isinstance(node, nodes.Test) or node.name in _ASKED
            ):
                known.called.add(id(name))
            case nodes.Getattr(node=nodes.Name(name="loop") as name):
                known.called.add(id(name))
            case _:
                continue
    known.composed = composed_in(parts)
    return next(filter(None, (_why(node, known) for node in parts)), "")


def _why(node: "nodes.Node", known: _Known) -> str:
    from jinja2 import nodes

    match node:
        case nodes.Import() | nodes.FromImport() | nodes.Include() | nodes.Extends():
            return "the template loads another one"
        case nodes.Getattr(attr=name) | nodes.NSRef(attr=name) if name.startswith("_"):
            return f"the template takes the attribute {name[:40]}"
        case nodes.Getitem():
            return _why_item(node, known)
        case nodes.Const(value=str() as value) if "__" in value:
            return f"the template holds the text {value[:40]!r}, a name of Python's own"
        case nodes.Filter(name=name):
            return _why_filter(node, name, known)
        case nodes.Name(name=name):
            return _why_name(node, known)
        case nodes.Call():
            return _why_call(node, known.macros)
        case _:
            return ""


def _why_name(node: "nodes.Name", known: _Known) -> str:
    name = node.name
    if (name.startswith("_") and (name, node.ctx) != ("_", "store")) or name in _FOREIGN:
        return f"the template uses {name[:40]}"
    if name not in _GIVEN | known.macros:
        return ""
    if node.ctx != "load":
        return f"the template gives the name {name[:40]} to something else"
    return "" if id(node) in known.called else f"the template uses {name[:40]} without calling it"


def _why_item(node: "nodes.Getitem", known: _Known) -> str:
    from jinja2 import nodes

    match node.arg:
        case nodes.Const(value=str() as name) if name.startswith("_"):
            return f"the template takes the attribute {name[:40]}"
        case nodes.Slice():
            return ""
        case key if is_composed(key, known.composed):
            return "the template takes something by a name that it puts together"
        case _:
            return ""


def _why_filter(node: "nodes.Filter", name: str, known: _Known) -> str:
    from jinja2 import nodes

    if name not in FILTERS:
        return f"the template uses the filter {name[:40]}, which is on no list of what is harmless"
    if name not in _BY_NAME:
        return ""
    if name == "map" and node.args and not isinstance(node.args[0], nodes.Const):
        return "the filter map applies a filter by a name that the template chooses"
    given = (*node.args, *(one.value for one in node.kwargs))
    return next(filter(None, (_why_given(one, name, known) for one in given)), "")


def _why_given(given: "nodes.Node", name: str, known: _Known) -> str:
    """Judge an argument of a filter that takes attributes by name."""
    from jinja2 import nodes

    match given:
        case nodes.Const(value=str() as value) if value.startswith("_") or "._" in value:
            return f"the filter {name} takes the attribute {value[:40]}"
        case nodes.Const(value=value) if name == "map" and value in {"attr", "format", "xmlattr"}:
            return f"the filter map applies {value}"
        case nodes.Const():
            return ""
        case nodes.Name() | nodes.Getattr() | nodes.Neg() if not is_composed(given, known.composed):
            return ""
        case _:
            return f"the filter {name} takes attributes by a name that the template puts together"


def _why_call(node: "nodes.Call", macros: set[str]) -> str:
    from jinja2 import nodes

    match node.node:
        case nodes.Name(name=name) if name in FUNCTIONS | macros:
            return ""
        case nodes.Getattr(attr=name) if name in METHODS:
            return ""
        case nodes.Name(name=name) | nodes.Getattr(attr=name):
            return f"the template calls {name[:40]}, which is on no list of what is harmless"
        case _:
            return "the template calls what it computes"

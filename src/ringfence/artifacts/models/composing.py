"""Which texts of a template in Jinja the template puts together itself: by such a text it could take any attribute.

What comes from outside (messages, tools) is not put together, nor is what the template's own constants say, which are
looked at as they stand.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes

    _Given = tuple[list[str], Sequence[nodes.Node]]  # names, and what they are given

MAX_ROUNDS = 32  # in which variables are followed from one to the next
_NUMBERS = frozenset({"abs", "count", "float", "int", "length", "round", "wordcount"})  # filters that make them
_HANDS_ON = frozenset(  # filters that make no text of their own
    {
        *("batch", "d", "default", "dictsort", "first", "groupby", "items", "last", "list", "max", "min", "reject"),
        *("rejectattr", "select", "selectattr", "slice", "sort", "unique"),
    }
)
_CONTAINERS = frozenset({"dict", "namespace", "range"})
_LOOKS_UP = frozenset(
    {
        *("append", "count", "endswith", "extend", "find", "get", "index", "insert", "isdigit", "items", "keys"),
        *("pop", "rfind", "startswith", "update", "values"),
    }
)


def below(tree: "nodes.Node") -> "Iterator[nodes.Node]":
    """Yield a node, and every node below it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def composed_in(parts: "Sequence[nodes.Node]") -> set[str]:
    """Return the variables, and the attributes of namespaces, that may hold a text that the template put together."""
    given = [*_assigned(parts), *_handed(parts)]
    found = {"kwargs", "varargs"}
    for _ in range(MAX_ROUNDS):
        more = {name for names, values in given if any(is_composed(one, found) for one in values) for name in names}
        if more <= found:
            return found
        found |= more
    return found.union(*(names for names, _ in given))  # nobody hands a text on so often


def _assigned(parts: "Iterable[nodes.Node]") -> "Iterator[_Given]":
    """Yield the names that are given something by an assignment, and what."""
    from jinja2 import nodes

    for node in parts:
        match node:
            case nodes.Assign(target=target, node=value) | nodes.For(target=target, iter=value):
                yield _names(target), [value]
            case nodes.AssignBlock(target=target):
                yield _names(target), [nodes.Concat([])]
            case nodes.With(targets=targets, values=values):
                yield from ((_names(one), [value]) for one, value in zip(targets, values, strict=True))
            case nodes.Keyword(key=key, value=value):
                yield [key], [value]  # of a namespace
            case _:
                continue


def _handed(parts: "Sequence[nodes.Node]") -> "Iterator[_Given]":
    """Yield the names that are given something by a call: of macros, and of lists that something is appended to."""
    from jinja2 import nodes

    handed: dict[str, list[nodes.Node]] = {}
    for call in (one for one in parts if isinstance(one, nodes.Call)):
        values = [*call.args, *(one.value for one in call.kwargs), call.dyn_args, call.dyn_kwargs]
        known = [one for one in values if one is not None]
        match call.node:
            case nodes.Name(name=name):
                handed.setdefault(name, []).extend(known)
            case nodes.Getattr(node=holder):
                yield _names(holder), known
            case _:
                continue
    for node in parts:
        if isinstance(node, nodes.Macro | nodes.CallBlock):
            name = node.name if isinstance(node, nodes.Macro) else "caller"
            yield [one.name for one in node.args], [*handed.get(name, ()), *node.defaults]


def _names(node: "nodes.Node") -> list[str]:
    """Return every variable, and every attribute of one, below a node."""
    from jinja2 import nodes

    return [
        one.name if isinstance(one, nodes.Name) else one.attr
        for one in below(node)
        if isinstance(one, nodes.Name | nodes.NSRef | nodes.Getattr)
    ]


def is_composed(value: "nodes.Node", composed: Container[str]) -> bool:
    """Tell whether an expression may come to a text that is put together here, or begins with an underscore."""
    from jinja2 import nodes

    match value:
        case nodes.Concat() | nodes.Mod() | nodes.Mul() | nodes.TemplateData():
            return True
        case nodes.Compare() | nodes.Test() | nodes.Not():
            return False
        case nodes.Const(value=constant):
            return isinstance(constant, str) and constant.startswith("_")
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if name in composed:
            return True
        case nodes.Filter(name=name) if name in _NUMBERS:
            return False
        case _:
            return _makes_text(value) or any(is_composed(one, composed) for one in value.iter_child_nodes())


def _makes_text(value: "nodes.Node") -> bool:
    """Tell whether an operation, whatever it is over, may come to a text that was not there before."""
    from jinja2 import nodes

    match value:
        case nodes.Add(left=left, right=right):
            return not (_is_number(left) or _is_number(right))
        case nodes.Call(node=called):
            return not _hands_on(called)
        case nodes.Filter(name=name):
            return name not in _HANDS_ON
        case nodes.Slice(step=nodes.Node() as step):
            return not _is_number(step, steps=(1, -1))
        case _:
            return False


def _hands_on(called: "nodes.Node") -> bool:
    """Tell whether what is called makes no text of its own."""
    from jinja2 import nodes

    match called:
        case nodes.Name(name=name):
            return name in _CONTAINERS
        case nodes.Getattr(attr=name):
            return name in _LOOKS_UP
        case _:
            return False


def _is_number(node: "nodes.Node", steps: Container[object] | None = None) -> bool:
    from jinja2 import nodes

    match node:
        case nodes.Const(value=int() as value):
            return steps is None or value in steps
        case nodes.Neg(node=nodes.Const(value=int() as value)):
            return steps is None or -value in steps
        case nodes.Filter(name=name):
            return steps is None and name in _NUMBERS
        case nodes.Add(left=left, right=right) | nodes.Sub(left=left, right=right):
            return steps is None and (_is_number(left) or _is_number(right))
        case _:
            return False

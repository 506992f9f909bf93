"""ONNX: the graph is walked on the wire, never loaded; weights outside the file and foreign operators are named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.artifacts.models.protobuf import BYTES, VARINT, Budget, Field, fields
from ringfence.kernel.errors import MalformedInput

MAX_DEPTH = 24  # graphs in attributes in graphs
MAX_TEXT = 2**16
MAX_LISTED = 100
MAX_IR = 64
# Operators of these come with the runtime; any other needs a library that somebody brings along.
KNOWN_DOMAINS = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "ai.onnx.training", "com.microsoft"}
)
COMPILED = frozenset({"EPContext"})  # operators that carry, or lead to, a program for one kind of machine
# Fields that hold messages, by message: only these are followed.
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "tensor": {13: "entry"},
    "opset": {},
    "entry": {},
}
_IR_VERSION = 1


@dataclass(slots=True)
class Walked:
    """What the walk saw."""

    ir_version: int = 0
    graphs: int = 0
    nodes: int = 0
    external: list[str] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    compiled: set[str] = field(default_factory=set)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Return the operator sets that no runtime brings along."""
        return tuple(sorted(self.domains - KNOWN_DOMAINS))


def looks_like(content: Content) -> bool:
    """Tell whether a file begins as a model with a small version number does."""
    head = content.read(0, 2)
    return len(head) == 2 and head[0] == _IR_VERSION << 3 and 1 <= head[1] <= MAX_IR


def check(content: Content) -> Walked:
    """Walk through a model; raise `MalformedInput` where it is none."""
    walk = _Walk(content)
    walk.message("model", 0, content.size, MAX_DEPTH)
    if walk.seen.graphs == 0 or not 1 <= walk.seen.ir_version <= MAX_IR:
        raise MalformedInput("the file holds no ONNX graph")
    return walk.seen


class _Walk:
    def __init__(self, content: Content) -> None:
        self._content, self._budget, self.seen = content, Budget(), Walked()

    def message(self, kind: str, start: int, end: int, depth: int) -> None:
        if depth == 0:
            raise MalformedInput(f"graphs are nested deeper than {MAX_DEPTH} levels")
        self.seen.graphs += kind == "graph"
        self.seen.nodes += kind == "node"
        for found in fields(Cursor(self._content, start, end), self._budget):
            self._note(kind, found)
            inside = _INSIDE[kind].get(found.number)
            if inside is None:
                continue
            if found.wire != BYTES:
                raise MalformedInput(f"field {found.number} of a {kind} is no message")
            self.message(inside, found.start, found.end, depth - 1)

    def _note(self, kind: str, found: Field) -> None:
        match kind, found.number:
            case "model", 1 if found.wire == VARINT:
                self.seen.ir_version = found.value
            case "node", 4 if (operator := self._text(found)) in COMPILED:
                self.seen.compiled.add(operator)
            case ("node", 7) | ("opset", 1) | ("function", 10):
                self.seen.domains.add(self._text(found))
            case "tensor", 14 if found.value == 1:
                self._outside("?")
            case "tensor", 13:
                self._outside(self._location(found))
            case _:
                pass

    def _outside(self, place: str) -> None:
        if place and len(self.seen.external) < MAX_LISTED:
            self.seen.external.append(place)

    def _location(self, entry: Field) -> str:
        """Return where an entry of `external_data` points, if it is the entry that says so."""
        pair = {one.number: self._text(one) for one in self._pair(entry)}
        return pair.get(2, "?") if pair.get(1) == "location" else ""

    def _pair(self, entry: Field) -> Iterator[Field]:
        if entry.wire != BYTES:
            raise MalformedInput("external_data is no message")
        return fields(Cursor(self._content, entry.start, entry.end), self._budget)

    def _text(self, found: Field) -> str:
        if found.wire != BYTES or found.end - found.start > MAX_TEXT:
            raise MalformedInput(f"the text before byte {found.end} is none, or too long")
        try:
            return self._content.read(found.start, found.end - found.start).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedInput(f"the text before byte {found.end} is not UTF-8") from error

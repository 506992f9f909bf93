"""Pickles: walked opcode by opcode, never loaded, and refused unless every import is on a list of ours.

A list of what is forbidden leaks: there is always one more function that runs a command. What stands below builds
arrays, tensors and plain containers. A stream that cannot be walked to its end is refused too: the loader runs each
opcode as it comes, so that damage at the end does not undo what ran before.
"""

import pickletools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ringfence.artifacts.models.cursor import MAX_TAKE
from ringfence.artifacts.models.pickle_stack import PickleStack
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

HIGHEST = 5  # protocol
MAX_OPCODES = 2**20
MAX_STREAMS = 64  # one behind the other in a file
MAX_LINE = 2**16
_NUMPY = {"_reconstruct", "scalar", "_frombuffer"}
_STORAGES = {
    f"{kind}Storage"
    for kind in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short", "Untyped")
}
ALLOWED: frozenset[tuple[str, str]] = frozenset(
    {
        *(("builtins", name) for name in ("bytearray", "bytes", "complex", "frozenset", "range", "set", "slice")),
        *(("__builtin__", name) for name in ("bytearray", "bytes", "complex", "frozenset", "set", "slice")),
        ("_codecs", "encode"),
        ("collections", "OrderedDict"),
        *((module, name) for module in ("numpy.core.multiarray", "numpy._core.multiarray") for name in _NUMPY),
        *((module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *(("torch", name) for name in _STORAGES),
        *(("torch", name) for name in ("Size", "bfloat16", "bool", "float16", "float32", "float64", "int32", "int64")),
        *(("torch._utils", name) for name in ("_rebuild_parameter", "_rebuild_tensor", "_rebuild_tensor_v2")),
        ("torch.storage", "UntypedStorage"),
        # Estimators that hold numbers and nothing that is called; trees and pipelines do, or are read as raw memory.
        *(("sklearn.linear_model._base", name) for name in ("LinearRegression",)),
        *(("sklearn.linear_model._logistic", name) for name in ("LogisticRegression",)),
        *(("sklearn.linear_model._ridge", name) for name in ("Ridge", "RidgeClassifier")),
        *(("sklearn.preprocessing._data", name) for name in ("MinMaxScaler", "StandardScaler")),
    }
)
# A file of torch.save before its ZIPs: five pickles (this number, a version, the machine, the object, keys), then for
# each key a count and as many elements.
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_LEGACY_STREAMS = 5
_ELEMENT_SIZES = (1, 2, 4, 8, 16)
_MAX_PLACES = 1024  # that are possible at once while the sizes of elements are unknown
_KEYS = frozenset(
    {"PROTO", "EMPTY_LIST", "MARK", "APPEND", "APPENDS", "BINUNICODE", "SHORT_BINUNICODE", "STOP", "FRAME"}
)
_PUSHES_TEXT = frozenset(
    {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING", "SHORT_BINSTRING"}
)
_KEEPS = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_FETCHES = frozenset({"GET", "BINGET", "LONG_BINGET"})
_REGISTERED = frozenset({"EXT1", "EXT2", "EXT4"})
_HARMLESS = frozenset({"PROTO", "FRAME"})
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_NUMBERS = frozenset({b"I", b"L", b"F"})
_STRANGE = re.compile(rb"[\\\x80-\xff]")
_BROKEN = (ValueError, IndexError, TypeError, OverflowError, KeyError, EOFError, AttributeError, struct.error)


class _Endless(MalformedInput):
    """The limit is ours: a loader would go on."""


class _Passed(Exception):
    """Bytes that nobody looks at were passed over."""


@dataclass(slots=True)
class Walked:
    """What the walk saw."""

    imports: list[tuple[str, str]] = field(default_factory=list)
    computed: int = 0  # imports whose names are put together at loading
    persistent: int = 0
    calls: int = 0
    streams: int = 0
    opcodes: int = 0
    texts: int = 0  # in the newest stream
    only_keys: bool = True  # whether the newest stream is no more than a list of texts
    legacy: bool = False  # a file of torch.save before its ZIPs
    misused: str = ""  # how an import that is harmless by itself is used; only `check` looks at that

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """Return the imports that are on no list of ours, each once."""
        return tuple(dict.fromkeys(pair for pair in self.imports if pair not in ALLOWED))


def looks_like(content: Content) -> bool:
    """Tell whether a file begins as a pickle of protocol 2 or later."""
    head = content.read(0, 2)
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def check(content: Content) -> Walked:
    """Walk to the end of a pickle, or of several in a row.

    Raises:
        MalformedInput: it ends too early, names something in a way that cannot be followed, or bytes follow it.
    """
    reader, seen = _Reader(content), Walked(legacy=content.read(0, len(LEGACY)) == LEGACY)
    while reader.at < content.size:
        if seen.legacy and seen.streams == _LEGACY_STREAMS:
            break
        _check_follows(content, reader, seen)
        _stream(reader, seen, PickleStack())
        if seen.computed:
            raise MalformedInput("the pickle computes the name of what it imports")
    if seen.misused and not seen.refused:  # else the imports are what is said of it
        raise MalformedInput(seen.misused)
    if not seen.streams:
        raise MalformedInput("an empty file is no pickle")
    if seen.legacy:
        _check_elements(content, reader.at, seen)
    return seen


def _check_follows(content: Content, reader: "_Reader", seen: Walked) -> None:
    """Raise `MalformedInput` unless another pickle may begin here."""
    if seen.streams == MAX_STREAMS:
        raise MalformedInput(f"more than {MAX_STREAMS} pickles follow one another")
    if seen.streams and content.read(reader.at, 1) != b"\x80":
        raise MalformedInput(f"{content.size - reader.at} bytes follow the pickle")


def _check_elements(content: Content, start: int, seen: Walked) -> None:
    """Raise `MalformedInput` unless the rest is, for each key, a count and that many elements, to the last byte."""
    if seen.streams != _LEGACY_STREAMS or not seen.only_keys:
        raise MalformedInput("the last pickle before the elements is no list of keys")
    places = {start}
    for _ in range(seen.texts):
        following: set[int] = set()
        for at in places:
            head = content.read(at, 8)
            count = int.from_bytes(head, "little", signed=True) if len(head) == 8 else -1
            ends = (at + 8 + count * size for size in _ELEMENT_SIZES) if count >= 0 else ()
            following.update(end for end in ends if end <= content.size)
        if len(following) > _MAX_PLACES:
            raise MalformedInput("the elements behind the pickles can be read in too many ways")
        places = following
    if content.size not in places:
        raise MalformedInput("the bytes behind the pickles are not the elements of as many tensors")


def hidden(content: Content) -> Walked | None:
    """Return what a file would import if somebody loaded it as a pickle of any protocol; None where nothing."""
    if content.read(0, 1) == b"P":
        return None  # a name for the loader to look up: loaders refuse it in this form, and every ZIP begins with it
    reader, seen, whole = _Reader(content, passing=True), Walked(), False
    try:
        while reader.at < content.size and not whole:  # a loader may read one stream after another
            _stream(reader, seen)
            whole = _imports(seen)
    except _Endless:
        return seen
    except MalformedInput:
        pass  # the loader would have run what came before
    return seen if _imports(seen) and (seen.calls or whole) else None


def _imports(seen: Walked) -> bool:
    return seen.computed > 0 or any(all(map(_IDENTIFIER.fullmatch, pair)) for pair in seen.imports)


def _stream(reader: "_Reader", seen: Walked, stack: PickleStack | None = None) -> None:
    track, seen.texts, seen.only_keys = _Track(), 0, True
    for name, argument in _opcodes(reader):
        seen.opcodes += 1
        if seen.opcodes > MAX_OPCODES:
            raise _Endless(f"the pickle has more than {MAX_OPCODES} opcodes: too many to be looked at")
        pair = _note(name, argument, track, seen)
        if stack is not None and not seen.misused:
            try:
                stack.follow(name, argument, pair)
            except MalformedInput as misuse:
                seen.misused = str(misuse)
    seen.streams += 1


def _opcodes(reader: "_Reader") -> Iterator[tuple[str, Any]]:
    # An explicit list of what pickletools raises on bytes that are no pickle; anything else would be a fault of ours.
    while True:
        try:
            for opcode, argument, _ in pickletools.genops(reader):  # type: ignore[arg-type]  # it asks for tell() as well
                yield opcode.name, argument
        except _Passed:
            yield "BINBYTES", None
            continue
        except _BROKEN as error:
            raise MalformedInput(f"the pickle cannot be walked to its end: {str(error)[:200]}") from error
        return


def _note(name: str, argument: Any, track: "_Track", seen: Walked) -> tuple[str, str] | None:
    """Note what an opcode does, and return what it imports."""
    pair = None
    if name == "PROTO" and argument > HIGHEST:
        raise MalformedInput(f"the pickle is of protocol {argument}, which is not known")
    if name in {"GLOBAL", "INST"}:
        module, _, attribute = str(argument).partition(" ")
        pair = module, attribute
        seen.imports.append(pair)
    elif name == "STACK_GLOBAL":
        pair = track.pair()
        seen.imports += [pair] if pair else []
        seen.computed += pair is None
    elif name in _REGISTERED:
        seen.imports.append(("copyreg", f"extension {argument}"))
    elif name == "PERSID":
        raise MalformedInput("the pickle names something in text that the loader is to look up")
    elif name == "BINPERSID":
        seen.persistent += 1
    seen.texts += name in _PUSHES_TEXT
    seen.only_keys = seen.only_keys and (name in _KEYS or name in _KEEPS)
    if name in {"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}:
        seen.calls += 1
    track.follow(name, argument)
    return pair


class _Track:
    """The two newest values of the stack, where they are texts; and the texts in the memo."""

    def __init__(self) -> None:
        self._newest: list[str | None] = []
        self._memo: dict[int, str | None] = {}
        self._texts = False  # whether there was any: without one, nothing can be named

    def pair(self) -> tuple[str, str] | None:
        match self._newest:
            case [str() as module, str() as attribute] if _IDENTIFIER.fullmatch(module + "." + attribute):
                return module, attribute
            case _ if self._texts:
                return None
            case _:
                raise MalformedInput("the pickle imports something without a name")

    def follow(self, name: str, argument: Any) -> None:
        if name in _PUSHES_TEXT:
            self._push(argument if isinstance(argument, str) else None)
        elif name in _FETCHES:
            self._push(self._memo.get(int(argument)))
        elif name in _KEEPS:
            place = len(self._memo) if name == "MEMOIZE" else int(argument)
            self._memo[place] = self._newest[-1] if self._newest else None
        elif name not in _HARMLESS:
            self._newest.clear()

    def _push(self, text: str | None) -> None:
        self._newest = [*self._newest[-1:], text]
        self._texts = True


class _Reader:
    """The file that `pickletools` reads: bounded, so that no length in a stream can ask for all memory.

    It is stricter than the loader on numbers and escapes in lines, and would stop where the loader goes on. So it is
    shown lines without either: a name that held one is then on no list, which is all that matters here.
    """

    def __init__(self, content: Content, *, passing: bool = False) -> None:
        """Read from the start; `passing` passes over long pieces instead of refusing them."""
        self._content, self.at, self._opcode, self._passing = content, 0, b"", passing

    def read(self, size: int) -> bytes:
        if size > MAX_TAKE:
            if self._passing and size <= self._content.size - self.at:
                self.at += size
                raise _Passed
            raise MalformedInput(f"the pickle announces {size} bytes in one piece: too many to be looked at")
        data = self._content.read(self.at, max(0, size))
        self.at += len(data)
        self._opcode = data
        return data

    def readline(self) -> bytes:
        first = data = self._content.read(self.at, MAX_LINE)
        while not (end := data.find(b"\n") + 1) and len(data) == MAX_LINE:
            self.at += len(data)
            data = self._content.read(self.at, MAX_LINE)
        self.at += end or len(data)
        if end and self._opcode in _NUMBERS:
            return b"0\n"
        if first is not data:  # no name is so long
            return b"" if not end else b"'?'\n" if self._opcode == b"S" else b"?\n"
        return _STRANGE.sub(b"?", data[:end] if end else data)

    def tell(self) -> int:
        return self.at

"""What a pickle does with what it imports: its stack is followed, and nothing is built.

An import that is harmless where NumPy uses it can be turned against the loader: `numpy.ndarray` called over bytes, or a
type whose state says that it holds numbers where it holds objects, makes the loader take bytes for the addresses of
objects. So the few calls that take such arguments are allowed in the one form in which NumPy itself writes them, and a
state is given only to what was just made, and once.
"""

import math
import pickletools
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ringfence.kernel.errors import MalformedInput

Pair = tuple[str, str]

MAX_SIDES = 64  # of an array; NumPy's own limit
NDARRAY, DTYPE = ("numpy", "ndarray"), ("numpy", "dtype")
RECONSTRUCT = frozenset({("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")})
_BYTES = frozenset((module, name) for module in ("builtins", "__builtin__") for name in ("bytearray", "bytes"))
_HOLDS_STATE = ("sklearn.", "collections")  # modules of what gets a plain dictionary as its state
_TYPE = re.compile(r"[?biufcmMSUV][0-9]{1,9}|O8")
_OBJECTS = 63  # the flags of a type whose elements are objects
_PLAIN = (-1, -1, 0)  # size, alignment and flags of all others, but for texts
_OPCODES: Mapping[str, pickletools.OpcodeInfo] = {one.name: one for one in pickletools.opcodes}
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"})
_NUMBERS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "LONG4"})
_CONSTANTS: Mapping[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


class _Mark:
    """Where a list of arguments begins."""


class _Unknown:
    """A value about which nothing has to be known."""


class _Dictionary:
    """A plain dictionary."""


class _List:
    """A plain list, and how many values were put into it."""

    def __init__(self, length: int = 0) -> None:
        self.length = length


class _Named:
    """Something that was imported."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair


class _Made:
    """What a call of something imported gives, by whatever names it is found again."""

    def __init__(self, pair: Pair, given: object) -> None:
        self.pair, self.given, self.filled = pair, given, False


MARK, UNKNOWN = _Mark(), _Unknown()


class PickleStack:
    """The stack and the memo of a pickle, as far as they matter."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    @property
    def depth(self) -> int:
        """Return how many values lie there; a whole pickle has taken its last one."""
        return len(self._stack)

    def _other(self, opcode: pickletools.OpcodeInfo) -> None:
        before, after = opcode.stack_before, opcode.stack_after
        if pickletools.markobject in before:
            self._slice()
            self._pop(before.index(pickletools.markobject))
        else:
            self._pop(len(before))
        self._stack += [MARK if one is pickletools.markobject else UNKNOWN for one in after]

    def _pop(self, count: int = 1) -> list[object]:
        if count > len(self._stack):
            raise MalformedInput("the pickle takes more from its stack than lies there")
        taken = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return taken

    def _slice(self) -> tuple[object, ...]:
        """Take everything down to the newest mark, and the mark."""
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] is MARK:
                taken = tuple(self._stack[at + 1 :])
                del self._stack[at:]
                return taken
        raise MalformedInput("the pickle takes a list from its stack that does not begin anywhere")

    def _named(self, _: object, pair: Pair | None) -> None:
        self._stack.append(_Named(pair) if pair else UNKNOWN)

    def _looked_up(self, _: object, pair: Pair | None) -> None:
        self._pop(2)
        self._named(None, pair)

    def _dictionary(self, *_: object) -> None:
        self._stack.append(_Dictionary())

    def _paired(self, *_: object) -> None:
        self._slice()
        self._stack.append(_Dictionary())

    def _tuple(self, *_: object) -> None:
        self._stack.append(self._slice())

    def _top(self) -> object:
        return self._stack[-1] if self._stack else MARK

    def _list(self, *_: object) -> None:
        self._stack.append(_List())

    def _listed(self, *_: object) -> None:
        self._stack.append(_List(len(self._slice())))

    def _added(self, *_: object) -> None:
        self._pop()
        self._grow(1)

    def _added_pair(self, *_: object) -> None:
        self._pop(2)

    def _added_all(self, *_: object) -> None:
        self._grow(len(self._slice()))

    def _grow(self, count: int) -> None:
        """Count what is put into what lies on top, which stays there."""
        target = self._top()
        if isinstance(target, _List):
            target.length += count

    def _twice(self, *_: object) -> None:
        self._stack.append(self._top())

    def _kept(self, argument: Any, _: object) -> None:
        self._memo[len(self._memo) if argument is None else int(argument)] = self._top()

    def _fetched(self, argument: Any, _: object) -> None:
        self._stack.append(self._memo.get(int(argument), UNKNOWN))

    def _reduced(self, *_: object) -> None:
        called, given = self._pop(2)
        self._call(called, given)

    def _new_with_keywords(self, *_: object) -> None:
        called, given, keywords = self._pop(3)
        self._call(called, (given, keywords))  # in no form in which anything with a rule is called

    def _object(self, *_: object) -> None:
        called, *given = self._slice() or (UNKNOWN,)
        self._call(called, tuple(given))

    def _instance(self, _: object, pair: Pair | None) -> None:
        self._call(_Named(pair or ("", "")), self._slice())

    def _call(self, called: object, given: object) -> None:
        if not isinstance(called, _Named):
            raise MalformedInput("the pickle calls what it computes")
        _check_call(called.pair, given)
        self._stack.append(_Made(called.pair, given))

    def _built(self, *_: object) -> None:
        (state,) = self._pop()
        target = self._top()
        if not isinstance(target, _Made) or target.filled:
            raise MalformedInput("the pickle gives a state to something that it did not just make, or a second one")
        target.filled = True
        _check_state(target, state)

    _STEPS: ClassVar[Mapping[str, Callable[["PickleStack", Any, Pair | None], None]]] = {
        "APPEND": _added,
        **dict.fromkeys(("APPENDS", "SETITEMS", "ADDITEMS"), _added_all),
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _kept),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _fetched),
        "TUPLE1": lambda self, *_: self._stack.append(tuple(self._pop(1))),
        "TUPLE2": lambda self, *_: self._stack.append(tuple(self._pop(2))),
        "TUPLE3": lambda self, *_: self._stack.append(tuple(self._pop(3))),
        **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduced),
        "SETITEM": _added_pair,
        "DUP": _twice,
        "EMPTY_LIST": _list,
        "LIST": _listed,
        "EMPTY_DICT": _dictionary,
        "DICT": _paired,
        "TUPLE": _tuple,
        "GLOBAL": _named,
        "STACK_GLOBAL": _looked_up,
        "NEWOBJ_EX": _new_with_keywords,
        "OBJ": _object,
        "INST": _instance,
        "BUILD": _built,
    }

    def follow(self, name: str, argument: Any, pair: Pair | None) -> None:
        """Take the next opcode; `pair` is what it imports.

        Raises:
            MalformedInput: it takes what is not there, or uses an import as no library of ours does.
        """
        if name in _TEXTS or name in _NUMBERS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif (step := self._STEPS.get(name)) is not None:
            step(self, argument, pair)
        else:
            self._other(_OPCODES[name])


def _check_call(pair: Pair, given: object) -> None:
    """Raise `MalformedInput` where something is called that has a form of its own, in another form."""
    if pair == NDARRAY:
        raise MalformedInput("the pickle calls numpy.ndarray itself, which takes any bytes for its elements")
    if pair == DTYPE and _type_of(given) is None:
        raise MalformedInput("the pickle makes a type of elements as NumPy's own pickles do not")
    if pair in RECONSTRUCT:
        match given:
            case (_Named(pair=("numpy", "ndarray")), (0,), _):
                return
            case _:
                raise MalformedInput("the pickle begins an array as NumPy's own pickles do not")
    if pair in _BYTES and isinstance(given, tuple) and any(isinstance(one, int) for one in given):
        raise MalformedInput("the pickle asks for memory by a number")


def _type_of(given: object) -> str | None:
    """Return how a type of elements is named; None where it is made in another way."""
    match given:
        case (str() as name,) | (str() as name, int(), int()) if _TYPE.fullmatch(name):  # truth values, or 0 and 1
            return name
        case _:
            return None


def _check_state(target: _Made, state: object) -> None:
    if target.pair == DTYPE:
        name = _type_of(target.given)
        if name is None or not _is_state_of(name, target.given, state):
            raise MalformedInput("the pickle gives a type of elements a state that NumPy's own pickles do not")
    elif target.pair in RECONSTRUCT:
        if not _fills(state):
            raise MalformedInput("the pickle fills an array as NumPy's own pickles do not")
    elif not target.pair[0].startswith(_HOLDS_STATE) or not isinstance(state, _Dictionary):
        raise MalformedInput(f"the pickle gives {'.'.join(target.pair)} a state that such a thing has not")


def _fills(state: object) -> bool:
    """Tell whether a state fills an array: NumPy itself does not count the objects in the list that it is given."""
    match state:
        case (int(), tuple() as shape, _Made(pair=("numpy", "dtype"), given=given), int(), data):
            if len(shape) > MAX_SIDES or not all(isinstance(side, int) and 0 <= side < 2**63 for side in shape):
                return False
            of_objects = (_type_of(given) or "").startswith("O")
            held = isinstance(data, _List) and data.length == math.prod(shape)
            return held if of_objects else not isinstance(data, _List)
        case _:
            return False


def _is_state_of(name: str, given: object, state: object) -> bool:
    """Tell whether a state is the one that NumPy prints for a type; all else would be believed, and is not checked."""
    match given, state:
        case (_, 0, 1), (3, "<" | ">" | "|" | "=", None, None, None, int(), int(), int()):
            return state[5:] == _layout(name)
        case (_, 0, 1), (4, "<" | ">" | "|" | "=", None, None, None, -1, -1, 0, _):
            return name[0] in "mM"
        case _:
            return False


def _layout(name: str) -> tuple[int, int, int]:
    """Return size, alignment and flags."""
    kind, size = name[0], int(name[1:])
    if kind == "O":
        return -1, -1, _OBJECTS
    if kind == "U":
        return 4 * size, 4, 8
    return (size, 1, 0) if kind in "SV" else _PLAIN

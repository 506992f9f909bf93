import io
import pickle  # noqa: TID251 - to write what libraries write; nothing is loaded in this process
import pickletools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models import pickles
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.pickle_stack import PickleStack
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.hostile import short

TWO = b"\x80\x04"
DTYPE = b"cnumpy\ndtype\n"
NDARRAY = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy._core.multiarray\n_reconstruct\n"
ORDERED = b"ccollections\nOrderedDict\n"


def checked(body):
    return pickles.check(Held(TWO + body + b"."))


def dtype(name, state=b""):
    """Make a type of elements as NumPy does, with a state."""
    return DTYPE + short(name) + b"\x89\x88\x87R" + (b"(K\x03" + state + b"tb" if state else b"")


LITTLE = short("<") + b"NNN"
NONE = LITTLE + b"J\xff\xff\xff\xff" * 2 + b"K\x00"  # no size, no alignment, no flags: numbers
OBJECTS = short("|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x3f"
NAMES = short("|") + b"N" + short("a") + b"\x85}" + short("a") + dtype("O8") + b"K\x00\x86s"
STARTED = RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"
FILLED = b"(K\x01K\x01\x85" + dtype("i1", NONE) + b"\x89C\x01atb"

MISUSED = {
    "an array over bytes": NDARRAY + b"K\x01\x85" + short("O8") + b"C\x08AAAAAAAA\x87R",
    "an array by NEWOBJ": NDARRAY + b"K\x01\x85" + short("O8") + b"\x86\x81",
    "an array by NEWOBJ_EX": NDARRAY + b")}\x92",
    "an array by OBJ": b"(" + NDARRAY + b"K\x01\x85" + short("O8") + b"o",
    "an array by INST": b"(K\x01\x85" + short("O8") + b"inumpy\nndarray\n",
    "an array from the memo": NDARRAY + b"\x940)h\x00)R",
    "numbers that are objects": dtype("V8", NAMES + b"K\x08K\x01K\x00"),
    "objects without flags": dtype("O8", NONE),
    "numbers with the flags of objects": dtype("f8", LITTLE + b"J\xff\xff\xff\xff" * 2 + b"K\x3f"),
    "a text of another size": dtype("S5", short("|") + b"NNNK\x63K\x01K\x00"),
    "a text without alignment": dtype("U3", LITTLE + b"K\x0cK\x00K\x08"),
    "fields without a state": DTYPE + short("O,f8") + b"\x85R",
    "a type of a class": DTYPE + NDARRAY + b"\x85R",
    "a type from a list": DTYPE + b"]\x85R",
    "a type that others have too": DTYPE + short("f8") + b"\x89\x89\x87R(K\x03" + NONE + b"tb",
    "a type by keywords": DTYPE + short("f8") + b"\x85}\x92",
    "a state twice": dtype("f8", NONE) + b"(K\x03" + NONE + b"tb",
    "a state for what is in the memo": dtype("f8", NONE) + b"\x940h\x00(K\x03" + NONE + b"tb",
    "a begun array with a size": RECONSTRUCT + NDARRAY + b"M\xff\xff\x85C\x01b\x87R",
    "a begun array of another class": RECONSTRUCT + ORDERED + b"K\x00\x85C\x01b\x87R",
    "an array filled twice": STARTED + FILLED + FILLED,
    "an array filled with a list": STARTED + b"]b",
    **{
        name: STARTED + b"(K\x01" + shape + dtype(kind, state) + b"\x89" + data + b"tb"
        for name, shape, kind, state, data in (
            ("more objects than there are", b"K\x03\x85", "O8", OBJECTS, b"](NNe"),
            ("objects for a second side", b"K\x01K\x02\x86", "O8", OBJECTS, b"]Na"),
            ("objects that were taken from others", b"K\x02\x85", "O8", OBJECTS, b"(NNl(NNNe0"),
            ("objects from no list", b"K\x02\x85", "O8", OBJECTS, b"(NNt"),
            ("fewer than no objects", b"J\xff\xff\xff\xff\x85", "O8", OBJECTS, b"]"),
            ("a side that is no number", b"N\x85", "O8", OBJECTS, b"]Na"),
            ("numbers from a list", b"K\x01\x85", "i1", NONE, b"]Na"),
        )
    },
    "an array of a type from elsewhere": STARTED + b"(K\x01K\x01\x85N\x89C\x01atb",
    "a call of what a call gave": b"cnumpy._core.multiarray\nscalar\n" + dtype("O8") + NDARRAY + b"\x86R)R",
    "a call of a text": short("numpy") + b")R",
    "a state for what a call gave": b"cnumpy._core.multiarray\nscalar\n" + dtype("O8") + dtype("f8") + b"\x86R}b",
    "a state for a class": ORDERED + b"}b",
    "attributes by name": ORDERED + b")RN}\x86b",
    "attributes by a tuple of another kind": ORDERED + b")Rctorch\nSize\nN}\x86\x85Rb",
    "a state for a set": b"cbuiltins\nset\n)R}b",
    "memory by a number": b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R",
    "too little on the stack": b"R",
    "no mark": b"t",
}
FINE = {
    "an ordered dictionary with attributes": ORDERED + b")R}" + short("_metadata") + b"K\x01sb",
    "a type that stands alone": DTYPE + short("f8") + b"\x85R",
    "a type as older releases write it": DTYPE + short("f8") + b"K\x00K\x01\x87R(K\x03" + NONE + b"tb",
    "an array": STARTED + FILLED,
    "an array of objects": STARTED + b"(K\x01K\x02K\x02\x86" + dtype("O8", OBJECTS) + b"\x89](NNe(NNetb",
    "an array of objects in a list of protocol 0": STARTED + b"(K\x01K\x02\x85" + dtype("O8", OBJECTS) + b"\x89(NNltb",
    "bytes that can be changed": b"cbuiltins\nbytearray\nC\x02ab\x85R",
    "a list of lists": b"](]]e2a",
}


@pytest.mark.parametrize("name", MISUSED)
def test_what_no_library_does_with_its_imports_is_refused(name):
    with pytest.raises(MalformedInput):
        checked(MISUSED[name])


@pytest.mark.parametrize("name", FINE)
def test_what_libraries_do_passes(name):
    assert not checked(FINE[name]).refused


def by_far(count):
    """Say that an array has many more objects than its list."""
    return STARTED + b"(K\x01J" + count.to_bytes(4, "little") + b"\x85" + dtype("O8", OBJECTS) + b"\x89]Natb"


THEORIES = {
    "an array over bytes": MISUSED["an array over bytes"],
    "numbers that are objects": NDARRAY + b"K\x01\x85" + MISUSED["numbers that are objects"] + b"C\x08AAAAAAAA\x87R",
    "more objects than there are": by_far(2**24),
}


@pytest.mark.parametrize("name", THEORIES)
def test_these_are_no_theory(name):
    over = THEORIES[name]
    with pytest.raises(MalformedInput):
        checked(over)
    program = "import pickle, resource, sys; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    program += "; print(pickle.loads(sys.stdin.buffer.read()))"
    done = subprocess.run([sys.executable, "-c", program], input=TWO + over + b".", capture_output=True, check=False)
    assert done.returncode < 0  # the loader took the bytes for the address of an object


def test_a_forbidden_import_is_named_also_where_others_are_misused():
    assert checked(MISUSED["an array over bytes"] + b"cposix\nsystem\n").refused == (("posix", "system"),)


ARRAYS = [
    *(np.zeros(3, kind) for kind in ("?", "i1", ">i8", "f2", "<f4", "c16", "S5", "U3", "V4", "M8[ns]", "m8[s]")),
    np.asfortranarray(np.ones((2, 3))),
    np.array(["a", None, 3], dtype=object),
    np.float32(1.5),
    np.array([], dtype="f8"),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_whatever_numpy_pickles_passes(protocol):
    for array in ARRAYS:
        assert not pickles.check(Held(pickle.dumps([array, {"again": array}], protocol))).refused, array


@pytest.mark.parametrize("protocol", [2, 4])
def test_estimators_that_hold_numbers_pass(protocol):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])
    for fitted in (LogisticRegression().fit(x, y), StandardScaler().fit(x)):
        assert not pickles.check(Held(pickle.dumps(fitted, protocol))).refused


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=4),
    lambda one: st.lists(one, max_size=3) | st.tuples(one, one) | st.dictionaries(st.text(max_size=2), one, max_size=3),
    max_leaves=12,
)


@given(values, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_the_stack_ends_with_the_one_value_that_a_loader_gives(value, protocol):
    stack = PickleStack()
    for opcode, argument, _ in pickletools.genops(io.BytesIO(pickle.dumps(value, protocol))):
        stack.follow(opcode.name, argument, ("a", "b") if opcode.name in {"GLOBAL", "STACK_GLOBAL"} else None)
    assert stack.depth == 0

"""Decisions over every completion of unknown inputs."""

import pytest

from ringfence.kernel.errors import InternalError
from ringfence.obligations.scope.completion import options, resolve


def test_options():
    assert (options(None), options(True), options(False)) == ((True, False), (True,), (False,))


def test_agreement_is_a_determined_answer():
    found = resolve({"a": (True, False), "b": (True,)}, lambda a, b: a or b)
    assert (found.only, found.deciding) == (True, ())


def test_only_the_inputs_that_matter_are_named():
    found = resolve({"a": (1, 2), "b": (1, 2, 3), "c": (1, 2)}, lambda a, b, c: (b > 2, a - a, c * 0))
    assert found.only is None
    assert found.outcomes == {(True, 0, 0), (False, 0, 0)}
    assert found.deciding == ("b",)


def test_an_input_that_matters_only_beside_another_is_named():
    found = resolve({"a": (False, True), "b": (False, True)}, lambda a, b: a and b)
    assert found.deciding == ("a", "b")


def test_every_position_of_an_input_is_seen():
    names = ("a", "b", "c")
    for position in range(3):
        found = resolve(dict.fromkeys(names, (0, 1, 2)), lambda *values, at=position: values[at] == 2)
        assert found.deciding == (names[position],)


def test_too_many_completions_and_none_are_errors_of_ours():
    with pytest.raises(InternalError):
        resolve({str(i): (0, 1) for i in range(20)}, lambda *_: 0)
    with pytest.raises(InternalError):
        resolve({"a": ()}, lambda a: a)

"""One AI system out of a file."""

from fractions import Fraction

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope.document import compose
from ringfence.obligations.scope.fields import Fields, read_whole
from ringfence.obligations.scope.system import read_system


def read(text):
    return read_whole(Fields.of(compose(text.encode(), source="s"), "s", "ai_systems[0]"), read_system)


def test_a_name_is_enough():
    found = read("name: x\n")
    assert (found.name, found.kind, found.purposes, found.training_compute) == ("x", None, None, None)


def test_compute_is_exact():
    assert read("name: x\ntraining_compute: 1.000001e25\n").training_compute == Fraction(1000001) * 10**19


@pytest.mark.parametrize("line", ["kind: robot", "annex_i_product: c", "purposes: employment", "activities: [sleeps]"])
def test_words_that_are_not_known_are_refused(line):
    with pytest.raises(MalformedInput, match=r"s:2:"):
        read(f"name: x\n{line}\n")

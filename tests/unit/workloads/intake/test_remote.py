"""The rules that a terminal obeys are those that the server says; an answer of another form is none."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.gatefile import shipped
from ringfence.workloads.intake import shown
from ringfence.workloads.intake.remote import rules_of


def test_they_are_read_back():
    found = rules_of({"rules": shown.rules(shipped())})
    assert (found.intake, found.digest) == (shipped().intake, shipped().digest)


@pytest.mark.parametrize("change", [{"largest": "1"}, {"apart": 1}, {"policy": None}, {"origins": "x"}])
def test_other_answers_are_refused(change):
    with pytest.raises(MalformedInput):
        rules_of({"rules": {**shown.rules(shipped()), **change}})
    with pytest.raises(MalformedInput):
        rules_of([])

import pytest

from ringfence.incidents.model import incident_id
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.incidents import LabIncidents


@pytest.mark.parametrize("text", ["", "i-", "i-0123ABCD", "i-0123abcd\n", "x" * 99, None, 5, "../i-0123abcd"])
def test_only_an_incidents_id_is_one(text):
    with pytest.raises(MalformedInput):
        incident_id(text)


def test_states_have_one_word_each():
    lab = LabIncidents()
    name = lab.detect()
    assert lab.room(name).incident.state == "untriaged"
    assert lab.room(name).incident.significant is None
    lab.triage(name, significant=False)
    assert lab.room(name).incident.state == "not significant"
    lab.triage(name)
    assert lab.room(name).incident.state == "significant"

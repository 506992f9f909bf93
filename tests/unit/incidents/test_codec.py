from datetime import timedelta

import pytest

from ringfence.incidents import codec
from ringfence.incidents.model import Fact, FactKind
from ringfence.kernel.digest import dumps, loads
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.incidents import LabIncidents


@pytest.fixture
def incident():
    lab = LabIncidents()
    name = lab.detect(technique=("T1110",), excerpts=("a", "b"))
    lab.watch.note("acme", Fact(FactKind.DATA_READ, lab.clock.now(), "n-00000001", "x", ("e",), customer_facing=True))
    lab.triage(name, occurred_at=lab.clock.now() - timedelta(hours=1), measured={"lossEur": 5})
    lab.file(name, "nis2.early_warning")
    return lab.room(name).incident


def test_every_fact_comes_back_as_it_was(incident):
    part = loads(dumps(codec.part(incident)))
    assert tuple(map(codec.finding, part["findings"])) == incident.findings
    assert tuple(map(codec.fact, part["facts"])) == incident.facts
    assert tuple(map(codec.triage, part["triages"])) == incident.triages
    assert tuple(map(codec.awareness, part["awareness"])) == incident.awareness
    assert tuple(map(codec.filed, part["filed"])) == incident.filed


def test_a_row_that_lacks_a_time_is_refused():
    with pytest.raises(MalformedInput, match="lacks"):
        codec.fact({"kind": "note"})


def test_text_is_bounded_and_can_be_encoded():
    assert codec.clean("\udcff" + "x" * 9000).encode().startswith(b"\\udcff")
    assert len(codec.clean("x" * 9000)) == codec.MAX_LINE

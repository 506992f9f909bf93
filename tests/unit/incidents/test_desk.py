import pytest

from ringfence.incidents.desk import is_recorded
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.testing.incidents import TENANT, LabIncidents


@pytest.fixture
def lab():
    return LabIncidents()


def test_a_row_names_the_statement_that_says_it(lab):
    name = lab.detect()
    entry = lab.room(name).incident.timeline[0]
    assert entry.envelope == str(lab.log.kept[0][0].digest)
    assert lab.log.kept[0][0].statement.claims["timeline"] == entry.link.hex
    assert is_recorded(lab.room(name).incident, Acknowledgement(Digest.parse(entry.envelope), 1, Stage.SEQUENCED))
    assert not is_recorded(None, Acknowledgement(Digest.parse(entry.envelope), 1, Stage.SEQUENCED))


def test_where_the_statement_cannot_be_recorded_there_is_no_row(lab):
    lab.log.broken = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        lab.detect()
    assert lab.service.all(TENANT) == []


def test_an_unknown_incident_is_not_found(lab):
    with pytest.raises(NotFound, match="incident list"):
        lab.service.desk.incident(TENANT, "i-ffffffff")


def test_ids_are_random_and_well_formed(lab):
    from ringfence.incidents.model import incident_id

    drawn = {lab.service.desk.new_id() for _ in range(20)}
    assert len(drawn) == 20
    assert all(incident_id(name) == name for name in drawn)

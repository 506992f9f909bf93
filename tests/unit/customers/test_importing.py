import pytest

from ringfence.customers import importing
from ringfence.customers.model import Occasion, Regime, ThingKind, Wanted
from ringfence.kernel.errors import MalformedInput

EXPECTED = Wanted(
    name="St. Example",
    regimes=(Regime.ESSENTIAL, Regime.GDPR),
    country="DE",
    hours={Occasion.INCIDENT: 6},
    clauses=("gdpr-28.3",),
    things={ThingKind.DATASET: ("scans", "slides")},
    reference="C-1",
)
YAML = b"""customers:
- name: St. Example
  regimes: [nis2-essential, gdpr-controller]
  country: DE
  hours: {incident: 6}
  clauses: [gdpr-28.3]
  datasets: [scans, slides]
  reference: C-1
"""
CSV = (
    b"name,regimes,country,incident_hours,clauses,datasets,reference\n"
    b"St. Example,nis2-essential; gdpr-controller,DE,6,gdpr-28.3,scans; slides,C-1\n"
)


def test_both_kinds_of_file_say_the_same():
    assert importing.read(YAML, source="c.yaml") == (EXPECTED,)
    assert importing.read(CSV, source="c.csv") == (EXPECTED,)


def test_an_entry_comes_back_as_it_went_out():
    assert importing.wanted_of(importing.document_of(EXPECTED)) == EXPECTED


def test_who_says_no_regime_says_unknown():
    (one,) = importing.read(b"name\nX\n", source="c.csv")
    assert one.regimes == (Regime.UNKNOWN,)


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (b"", "c.yaml"),
        (b"customers: []", "c.yaml"),
        (b"customers: [{}]", "c.yaml"),
        (b"customers: [{name: X, role: Y}]", "c.yaml"),
        (b"customers: [{name: X, hours: {incident: '6'}}]", "c.yaml"),
        (b"customers: [{name: X, hours: {never: 6}}]", "c.yaml"),
        (b"customers: [{name: X, hours: {incident: 0}}]", "c.yaml"),
        (b"customers: [{name: X, regimes: [nis3]}]", "c.yaml"),
        (b"customers: [{name: X, datasets: scans}]", "c.yaml"),
        (b"customers: [{name: X, datasets: [a, a]}]", "c.yaml"),
        (b"customers: [{name: 7}]", "c.yaml"),
        (b"customers: [{name: X}, {name: x}]", "c.yaml"),
        (b"customers:\n- name: !!python/object:os.system X", "c.yaml"),
        (b"country\nDE\n", "c.csv"),
        (b"name,name\nX,Y\n", "c.csv"),
        (b"name,role\nX,Y\n", "c.csv"),
        (b"name,incident_hours\nX,six\n", "c.csv"),
        (b"name,incident_hours\nX,-6\n", "c.csv"),
        (b"name\nX\nX\n", "c.csv"),
    ],
)
def test_a_file_that_says_otherwise_is_refused_with_its_place(data, source):
    with pytest.raises(MalformedInput) as refused:
        importing.read(data, source=source)
    assert refused.value.source or source in str(refused.value)


def test_too_many_are_refused():
    rows = b"".join(b"c%d\n" % at for at in range(importing.MAX_CUSTOMERS + 1))
    with pytest.raises(MalformedInput):
        importing.read(b"name\n" + rows, source="c.csv")

from ringfence.customers import options
from ringfence.customers.model import Regime

NOTHING = (None, None, None, (None, None, None), None, (None, None, None, None))


def test_what_was_not_said_is_left_out():
    assert options.said(*NOTHING) == {}


def test_what_was_said_stands_as_the_api_takes_it():
    things = (["scans"], None, None, ["none"])
    assert options.said([Regime.DORA], "DE", None, (None, 24, 720), ["none"], things) == {
        "regimes": ["dora"],
        "country": "DE",
        "clauses": [],
        "datasets": ["scans"],
        "nodes": [],
        "hours": {"breach": 24, "subprocessor": 720},
    }

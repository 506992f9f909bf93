from types import SimpleNamespace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.soc import rows
from ringfence.soc.action import ActionKind, State
from ringfence.soc.ports import Raised
from ringfence.testing.clock import START
from ringfence.testing.soc import TENANT, finding, node, ruled


@pytest.mark.parametrize("reporter", [None, node(), node(contained_since=START, serves=True, training=True)])
@pytest.mark.parametrize("statement", [None, Digest.of(b"x")])
def test_a_finding_comes_back(reporter, statement):
    hostile = finding(source="\udcff\x00'", title="\u202e")
    raised = Raised(TENANT, "f-1", hostile, reporter, authenticated=False, statement=statement, noted=True)
    assert rows.finding(SimpleNamespace(**rows.finding_row(raised))) == raised


@pytest.mark.parametrize("kind", list(ActionKind))
@pytest.mark.parametrize("state", list(State))
def test_a_ruling_comes_back(kind, state):
    one = ruled("f-1", kind, state)
    row = SimpleNamespace(**rows.ruling_row(TENANT, one))
    assert rows.ruling(row) == one
    row.key = "k"
    assert rows.past(row).until.timestamp() == one.times.decided.timestamp() + 3600

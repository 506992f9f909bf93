import io

import pytest
from rich.console import Console

from ringfence.customers import clauses, inheriting, lines, register, shown
from ringfence.obligations import board
from ringfence.obligations.records import Records
from ringfence.testing.customers import A
from ringfence.testing.ledger import START, TENANT


@pytest.fixture
def known(log):
    return register.fold(log.statements())


def said(show, *arguments):
    text = io.StringIO()
    show(Console(file=text, markup=False, highlight=False, width=200), *arguments)
    return text.getvalue()


def test_a_list_says_whose_hours_they_are(known):
    assert "6 h" in said(lines.listed, [shown.line(one, known) for one in known.current])
    assert "ringfence customer add" in said(lines.listed, [])


def test_a_customer_is_shown_with_clauses_things_and_our_own_status(known, log, catalog):
    one = known.everybody[A]
    board_now = board.compute(catalog, Records.of(TENANT, log.statements(), demo=False), START)
    text = said(lines.shown, shown.whole(one, known, inheriting.inherited(board_now, one), []))
    for part in (A, "notice of incident: 6 h", "clause ir2690-5.1.4.d", "theirs: dataset/d1", "our own status"):
        assert part in text


def test_every_clause_is_listed_with_its_provision():
    document = {"clauses": [shown.ground(one) for one in clauses.clauses().values()]}
    assert all(name in said(lines.clauses, document) for name in clauses.clauses())

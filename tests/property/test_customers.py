"""Whatever is entered about customers, and whoever is handed what: our own board stays the same, byte for byte."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.customers import share, statements
from ringfence.customers.clauses import clauses
from ringfence.customers.model import Occasion, Regime, Wanted
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.records import Records
from ringfence.testing.customers import OWNER, A, B
from ringfence.testing.ledger import TENANT, LabLog

CATALOG = catalog.load()
NAMES = [A, B]
THINGS = ["dataset/d1", "dataset/d2", "deployment/chat", "node/n-00000001"]
wanted = st.builds(
    Wanted,
    name=st.just("X"),
    regimes=st.sampled_from([(one,) for one in Regime]),
    hours=st.dictionaries(st.sampled_from(Occasion), st.integers(1, 48)),
    clauses=st.lists(st.sampled_from(sorted(clauses())), max_size=4, unique=True).map(tuple),
)
acts = st.lists(
    st.tuples(
        st.sampled_from(["entered", "changed", "packed", "answered"]),
        st.sampled_from(NAMES),
        wanted,
        st.lists(st.sampled_from(THINGS), max_size=3, unique=True),
    ),
    max_size=8,
)


def written(log):
    records = Records.of(TENANT, log.statements(), demo=False)
    return digest.dumps(sheet.document(board.compute(CATALOG, records, log.now)))


def drafted(kind, name, entry, things):
    match kind:
        case "entered":
            return statements.registered(name, entry, tuple(things), OWNER)
        case "changed":
            return statements.changed(name, entry, tuple(things), OWNER)
        case "packed":
            return statements.packed(name, OWNER, Digest.of(b"r"), 3, bytes(32))
        case _:
            return statements.answered(name, {"questions": 1, "unmatched": 0, "withoutEvidence": 1}, OWNER, {})


@settings(max_examples=25)
@given(acts)
def test_our_own_board_is_the_same_with_any_customers(happened):
    log = LabLog()
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    before = written(log)
    for act in happened:
        log.state_draft(drafted(*act), by="control")
    assert written(log) == before


@settings(max_examples=40)
@given(acts, st.lists(st.sampled_from(THINGS), min_size=1, max_size=3, unique=True))
def test_no_record_is_shown_to_two_and_none_that_names_two_to_anybody(happened, named):
    log = LabLog()
    for name in NAMES:
        log.state_draft(statements.registered(name, Wanted("X"), (), OWNER), by="control")
    for act in happened:
        log.state_draft(drafted(*act), by="control")
    log.state("lab.observed", {"things": named}, by="control")
    logged = log.statements()
    first, second = (share.sharing(name, CATALOG, logged) for name in NAMES)
    assert not first.shown & second.shown
    last = logged[-1]
    owners = [one for one in (first, second) if one.mine & set(named)]
    assert sum(one.shows(last) for one in (first, second)) <= len(owners)
    assert replace(first, shown=frozenset()).shows(last) == first.shows(last)

"""Search over a log in memory: what an index says is compared with the statements themselves."""

from dataclasses import dataclass, replace

import pytest

from ringfence.kernel.errors import Unavailable, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.explorer import service
from ringfence.ledger.explorer.model import Query, Reach
from ringfence.ledger.explorer.service import Explorer
from ringfence.testing.console import sample
from ringfence.testing.explorer import EveryStatement


@pytest.fixture
def lab():
    return sample()


def test_a_page_names_the_next_one_and_they_have_no_gap(lab) -> None:
    query, entries = Query(subject="dataset/"), []
    while True:
        found = lab.explorer.search(lab.log.tenant, query, 2)
        entries += [logged.entry for logged in found.statements]
        if found.older is None:
            break
        query = replace(query, before=found.older)
    assert found.count.number == len(entries) == len(set(entries))
    assert entries == sorted(entries, reverse=True)


def test_the_list_itself_needs_no_index(lab) -> None:
    @dataclass
    class Broken(EveryStatement):
        def find(self, *_arguments):
            raise AssertionError

        catch_up = find

    explorer = Explorer(lab, Broken(lab.statements))
    found = explorer.search(lab.log.tenant, Query(), 3)
    assert (len(found.statements), found.count.number) == (3, 14)


def test_what_an_index_invents_is_not_shown(lab) -> None:
    class Lying(EveryStatement):
        def find(self, *_arguments):
            return [4, 3, 99]

    found = Explorer(lab, Lying(lab.statements)).search(lab.log.tenant, Query(subject="dataset/4c"), 10)
    assert [logged.entry for logged in found.statements] == [4, 3]
    assert Explorer(lab, Lying(lab.statements)).search(lab.log.tenant, Query(subject="x"), 10).statements == ()
    assert Explorer(lab, Lying(lab.statements)).search(Tenant("other"), Query(demo=False), 10).statements == ()


def test_where_nothing_can_be_written_it_says_how_far_it_reaches(lab) -> None:
    class ReadOnly(EveryStatement):
        def catch_up(self, _limit):
            raise Unavailable("the disk is full")

        def reach(self):
            return Reach(5, 14)

    found = Explorer(lab, ReadOnly(lab.statements)).search(lab.log.tenant, Query(demo=False), 10)
    assert found.reach.behind
    assert found.reach.entries == 5


def test_a_list_that_is_too_long_for_a_file_is_refused(lab) -> None:
    class Long(EveryStatement):
        def find(self, _tenant, _asked, limit):
            return list(range(min(limit, 20_000), 0, -1))

    with pytest.raises(UsageError, match=str(service.MAX_EXPORT)):
        Explorer(lab, Long(lab.statements)).everything(lab.log.tenant, Query(demo=False))
    assert len(lab.explorer.everything(lab.log.tenant, Query(demo=False, before=3)).statements) == 14


def test_sources_have_their_issuer_and_their_gaps(lab) -> None:
    log = lab.log
    log.state("log.heartbeat", {"sources": 1}, by="control", sequence=9)
    found = lab.explorer.sources(log.tenant)
    control = next(source for source in found if source.key == log.key_id("control"))
    assert control.issuer is not None
    assert control.issuer.role == "control-plane"
    assert [str(gap) for gap in control.series.gaps] == ["5 to 8"]
    assert found.gaps == 1
    assert found.tenant is not None
    assert found.tenant.whole


def test_the_neighbours_of_a_statement_are_of_its_source_and_its_subject(lab) -> None:
    logged = lab.log.statements(lab.log.tenant)[3]
    beside = lab.explorer.beside(logged)
    assert beside.subject_after == 4
    assert beside.source_before is None


def test_a_turn_takes_in_all_that_is_missing(lab) -> None:
    class Filling(EveryStatement):
        left = 3

        def catch_up(self, _limit):
            self.left -= 1
            return Reach(3 - self.left, 3)

    index = Filling(lab.statements)
    Explorer(lab, index).turn()
    assert index.left == 0

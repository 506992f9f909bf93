from dataclasses import replace
from datetime import date, timedelta

from ringfence.obligations import catalog
from ringfence.obligations.age import LOOK_AGAIN, Aged, aged

CATALOG = catalog.load()
DAY = date(2026, 11, 22)


def test_nothing_is_old_on_its_last_day():
    assert aged(CATALOG, DAY + LOOK_AGAIN) == ()


def test_a_day_later_every_act_of_that_day_is():
    found = aged(CATALOG, DAY + LOOK_AGAIN + timedelta(days=1))
    acts = {one.act for one in CATALOG.obligations.values()}
    assert {one.act for one in found} == acts | {f"national act of {code}" for code in CATALOG.national}
    assert sum(one.entries for one in found) == len(CATALOG.obligations) + len(CATALOG.national)
    assert {one.oldest for one in found} == {DAY}


def test_the_oldest_comes_first():
    older = dict(CATALOG.obligations)
    for name, day in (("gdpr-32", date(2026, 1, 2)), ("ai-15.5", date(2026, 3, 4)), ("gdpr-33", date(2026, 3, 4))):
        older[name] = replace(older[name], verified_on=day)
    found = aged(replace(CATALOG, obligations=older), DAY)
    assert found == (Aged("GDPR", 2, date(2026, 1, 2)), Aged("AI Act", 1, date(2026, 3, 4)))
    assert [one.text for one in found] == [
        "GDPR: 2 entries, the oldest not looked up since 2026-01-02",
        "AI Act: 1 entry, the oldest not looked up since 2026-03-04",
    ]

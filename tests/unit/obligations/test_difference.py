import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Strength
from ringfence.obligations import catalog
from ringfence.obligations.difference import Change, Entry, difference, plain

CATALOG = catalog.load()
OTHER = Digest.of(b"another version")
NAME, ARTICLE = "log-02.chain", "nis2-21.2.h"


def changed(group, name, **fields):
    values = dict(getattr(CATALOG, group))
    values[name] = replace(values[name], **fields)
    return replace(CATALOG, digest=OTHER, **{group: values})


def test_a_version_does_not_differ_from_itself():
    found = difference(CATALOG, replace(CATALOG, digest=OTHER))
    assert not found
    assert (found.old, found.new) == (CATALOG.digest, OTHER)


def test_what_came_and_what_went_is_told_by_kind_and_id():
    fewer = replace(
        CATALOG,
        controls=CATALOG.controls[1:],
        obligations={name: one for name, one in CATALOG.obligations.items() if name != ARTICLE},
        national={code: one for code, one in CATALOG.national.items() if code != "DE"},
    )
    gone = (Entry("control", CATALOG.controls[0].id), Entry("national", "DE"), Entry("obligation", ARTICLE))
    assert (difference(CATALOG, fewer).removed, difference(CATALOG, fewer).added) == (gone, ())
    assert (difference(fewer, CATALOG).added, difference(fewer, CATALOG).removed) == (gone, ())
    assert difference(CATALOG, fewer)


@pytest.mark.parametrize(
    ("group", "kind", "name", "field", "value", "shown"),
    [
        ("requirements", "requirement", NAME, "freshness", timedelta(days=3), "3 d"),
        ("requirements", "requirement", NAME, "freshness", timedelta(hours=5), "5 h"),
        ("requirements", "requirement", NAME, "strength", Strength.DOCUMENTED, "documented"),
        ("requirements", "requirement", NAME, "conditions", (), []),
        ("obligations", "obligation", ARTICLE, "verified_on", date(2027, 1, 1), "2027-01-01"),
        ("obligations", "obligation", ARTICLE, "applies_from", {"gpai": date(2027, 1, 1)}, {"gpai": "2027-01-01"}),
        ("obligations", "obligation", ARTICLE, "among", ("essential",), ["essential"]),
        ("national", "national", "FR", "in_force", date(2026, 12, 1), "2026-12-01"),
    ],
)
def test_a_field_that_changed_is_shown_with_both_values(group, kind, name, field, value, shown):
    old = plain(getattr(getattr(CATALOG, group)[name], field))
    found = difference(CATALOG, changed(group, name, **{field: value}))
    assert (found.changed, found.added, found.removed) == ((Change(Entry(kind, name), field, old, shown),), (), ())


def test_every_value_of_the_rules_is_plain_data_when_shown():
    for group in (
        CATALOG.controls,
        *(getattr(CATALOG, g).values() for g in ("obligations", "requirements", "national")),
    ):
        for one in group:
            assert json.loads(json.dumps(plain(one))) == plain(one)

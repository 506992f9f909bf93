"""Rules that anybody sent, one value of them spoilt: refused in a sentence, or compared; never anything else."""

import copy
import json
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import board, catalog, edition
from ringfence.obligations.comparing import sheet
from ringfence.obligations.comparing.comparison import check_extent, comparison
from ringfence.obligations.comparing.model import Other
from ringfence.obligations.difference import told
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story, made_for

RULES = catalog.load()
OURS = told(RULES)
KNOWN = json.loads(edition.shipped()) | {"version": str(Digest.of(b"another"))}
# The whole of it costs a second to validate: what is spoilt lies in files of few entries.
PLACES = (
    ("documents", "requirements/log.yaml", "requirements"),
    ("documents", "controls/log.yaml", "controls"),
    ("documents", "obligations/cra.yaml", "obligations"),
    ("documents", "profiles.yaml"),
    ("law", "values", "member_states.yaml", "member_states"),
    ("law", "values", "entity_types.yaml", "types"),
    ("law", "values", "sectors.yaml", "ict_types"),
    ("law",),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["9999-99-99", "national", "at-least", "log-06.heartbeat", "LOG-01", "nis2-21.2.g"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
STORY = Story()
for made in made_for(RULES, json.loads(package_file("samples/statements.json"))):
    STORY.add(made.evidence, made.claims, subject=made.subject, role=made.role, strength=made.strength)
RECORDS = Records.of(STORY.tenant, STORY.statements, demo=False)
HERE = board.compute(RULES, RECORDS, STORY.now)


def paths(value, path=()):
    """Yield the way to each value within another one."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from paths(part, (*path, name))


def at(value, path):
    """Return the value at the end of a way."""
    return reduce(lambda found, name: found[name], path, value)


WITHIN = {place: [path for path in paths(at(KNOWN, place)) if path] for place in PLACES}


def refused_or_compared(data, value, gone):
    place = data.draw(st.sampled_from(PLACES))
    path = (*place, *data.draw(st.sampled_from(WITHIN[place])))
    spoilt = copy.deepcopy(KNOWN)
    if gone:
        del at(spoilt, path[:-1])[path[-1]]
    else:
        at(spoilt, path[:-1])[path[-1]] = value
    try:
        other = edition.received(json.dumps(spoilt).encode())
        check_extent(other)
    except MalformedInput:
        return
    there = board.compute(other, RECORDS, STORY.now)
    json.dumps(sheet.document(comparison(Other.whole("edition", other), OURS, HERE, there)))


@given(data=st.data(), value=VALUES, gone=st.booleans())
@settings(max_examples=3, deadline=None)
def test_a_spoilt_edition_is_refused_or_compared(data, value, gone):
    refused_or_compared(data, value, gone)


@pytest.mark.soak
@given(data=st.data(), value=VALUES, gone=st.booleans())
@settings(max_examples=200, deadline=None)
def test_many_spoilt_editions_are_refused_or_compared(data, value, gone):
    refused_or_compared(data, value, gone)

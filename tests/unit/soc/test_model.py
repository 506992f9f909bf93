"""Identifiers of findings."""

from datetime import UTC, datetime

from ringfence.soc.model import finding_id

AT = datetime(2026, 3, 7, tzinfo=UTC)


def test_the_same_facts_give_the_same_identifier() -> None:
    assert finding_id("r", "n", "s", AT) == finding_id("r", "n", "s", AT)
    assert finding_id("r", "n", "s", AT).startswith("f-")


def test_no_fact_runs_into_the_next() -> None:
    assert finding_id("r", "n", "s", AT) != finding_id("r", "ns", "", AT)

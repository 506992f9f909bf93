"""Statements as observations."""

from ringfence.exports.evidence import COUNTS, Cited, cited, entries, files, observations, related, resources
from ringfence.kernel.digest import Digest


def test_every_statement_that_is_named_is_an_observation_with_its_file(facts):
    named = entries(facts.board)
    assert len(list(observations(facts))) == len(resources(facts)) == len(named) > 3
    assert {name: Digest.of(data) for name, data in files(facts).items()} == {
        f"evidence/{entry}.json": facts.statements[entry].envelope.digest for entry in named
    }


def test_times_and_digests_are_those_of_the_statement(facts):
    for entry, found in zip(entries(facts.board), observations(facts), strict=True):
        values = {one["name"]: one["value"] for one in found["props"]}
        assert values["ledger-entry"] == str(entry)
        assert values["envelope-digest"] == str(facts.statements[entry].envelope.digest)


def test_what_does_not_count_is_shown_with_the_reason(facts):
    parts = [part for result in facts.board.controls for part in result.requirements if part.ignored]
    assert parts
    for part in parts:
        whys = [one.why for one in cited(part)]
        assert any(why.startswith("does not count: ") for why in whys)


def test_what_counted_anywhere_counts(facts):
    entry = entries(facts.board)[0]
    found = related(facts, [Cited(entry), Cited(entry, "does not count: x")])
    assert [one["remarks"] for one in found] == [COUNTS]

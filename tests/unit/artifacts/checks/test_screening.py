"""A screen of everything: what is counted is counted in that run, and what was not looked at is never counted."""

import json

import pytest

from ringfence.artifacts.checks import decisions, policy, screening
from ringfence.artifacts.checks.decisions import Choice, Decision, Decisions
from ringfence.artifacts.checks.planting import PLANTED
from ringfence.artifacts.checks.screen import LONGEST, Kind
from ringfence.kernel.errors import UsageError
from ringfence.testing.training import FilesInMemory, as_csv, as_jsonl, texts

POLICY = policy.parse({"columns": {"label": "label"}})
NOBODY = Decisions(bytes(32))


def screened(rows, *, told=NOBODY, **how):
    files = FilesInMemory({"train.jsonl": as_jsonl(rows[:200]), "test.csv": as_csv(rows[200:])})
    return screening.run(files, screening.Order(POLICY, **how), told)


def made(seed=3):
    return texts(300, seed, signal=0.2)


@pytest.fixture(scope="module")
def clean():
    return screened(made())


def test_every_item_is_screened_for_everything_and_planted_cases_are_found(clean):
    assert (clean.items, clean.screened, clean.flagged) == (300, 300, 0)
    assert clean.checks == tuple(Kind)
    assert clean.planted == (4 * PLANTED, sum(one.found for one in clean.tried))
    assert all(one.found >= 0.8 * one.planted for one in clean.tried)


def test_the_same_bytes_and_policy_give_the_same(clean):
    assert screened(made()) == clean


def test_what_is_found_of_planted_cases_is_measured_and_no_constant():
    """Labels that follow nothing: a screen that finds less than half of what was planted has not screened."""
    rows = texts(300, 3, signal=0.035)
    found = screened(rows)
    weak = [one for one in found.tried if one.kind in {Kind.LABEL_FLIP, Kind.TRIGGER}]
    assert all(one.found < one.planted or one.flagged.reason for one in weak)
    assert {one.kind for one in weak if one.reason} == set(Kind) - set(found.checks) != set()
    assert any("sees too little" in one.reason or "do not predict" in one.reason for one in weak)


def test_without_labels_two_screens_do_not_run_and_are_not_among_the_checks():
    files = FilesInMemory({"a.csv": as_csv(made())})
    found = screening.run(files, screening.Order(policy.parse({})), NOBODY)
    assert found.checks == (Kind.DUPLICATE, Kind.OUTLIER)
    assert [one.planted for one in found.tried if one.kind not in found.checks] == [0, 0]


def test_items_that_could_not_be_read_or_seen_whole_are_not_screened():
    rows = made()
    rows[0]["text"] = "x" * (LONGEST + 1)
    content = as_jsonl(rows) + b"{broken\n[]\n"
    files = FilesInMemory({"a.jsonl": content, "b.bin": b"nobody reads this"})
    found = screening.run(files, screening.Order(POLICY), NOBODY)
    assert (found.items, found.screened) == (303, 299)


def test_more_items_than_are_looked_at_count_as_not_screened():
    found = screened(made(), most=250)
    assert (found.items, found.screened) == (300, 250)


def test_nothing_is_planted_into_the_data_themselves():
    content = {"a.csv": as_csv(made())}
    files = FilesInMemory(dict(content))
    screening.run(files, screening.Order(POLICY), NOBODY)
    assert files.content == content
    assert files.passes == 2


def test_flagged_items_are_decided_by_their_digests_over_several_rounds():
    rows = made()
    rows.append(dict(rows[250]))
    rows[9]["text"] = " ".join(f"xq{number}zv" for number in range(40))
    first = screened(rows)
    assert [(flag.file, flag.screens) for flag in first.flags] == [
        ("test.csv", {Kind.DUPLICATE}),
        ("train.jsonl", {Kind.OUTLIER}),
    ]
    copy, odd = (flag.item for flag in first.flags)
    assert len(first.settled.undecided) == 2
    told = Decisions(
        bytes(32),
        {
            copy: Decision(copy, frozenset({Kind.DUPLICATE}), Choice.CLEARED, "ada", "a refrain"),
            odd: Decision(odd, frozenset({Kind.OUTLIER}), Choice.TAKEN_OUT, "ada", "noise"),
        },
    )
    second = screened(rows, told=told)
    assert (len(second.settled.cleared), len(second.settled.undecided), second.settled.still_there) == (1, 1, 1)
    assert second.settled.taken_out == ()
    del rows[9]
    third = screened(rows, told=told)
    assert (third.settled.undecided, third.settled.taken_out) == ((), (told.by_item[odd],))
    assert third.flagged == 2
    assert third.items == 300


def test_several_columns_of_text_are_screened_as_one():
    rows = [
        {"prompt": row["text"], "answer": f"answer {n} of " * 12, "label": row["label"]} for n, row in enumerate(made())
    ]
    apart = screened(rows)
    assert apart.screened == 0
    together = screened(rows, texts=("prompt", "answer"))
    assert together.screened == 300
    assert set(together.checks) >= {Kind.DUPLICATE, Kind.OUTLIER}


def test_a_column_that_is_called_like_texts_together_is_an_error():
    with pytest.raises(UsageError, match="together"):
        screening.run(FilesInMemory({"a.csv": b"a,b,a + b\n1,2,3\n"}), screening.Order(POLICY, ("a", "b")), NOBODY)


def test_no_item_or_an_unknown_column_is_an_error():
    with pytest.raises(UsageError, match="no record"):
        screening.run(FilesInMemory({"a.csv": b"a,b\n"}), screening.Order(POLICY), NOBODY)
    with pytest.raises(UsageError, match="no record has a column"):
        screening.run(FilesInMemory({"a.csv": b"a,b\n1,2\n"}), screening.Order(POLICY), NOBODY)


def test_decisions_about_more_items_than_there_are_were_made_of_other_data():
    items = {decisions.Digest.of(b"%d" % n): n for n in range(301)}
    kinds = frozenset({Kind.OUTLIER})
    told = Decisions(bytes(32), {item: Decision(item, kinds, Choice.TAKEN_OUT, "a", "b") for item in items})
    with pytest.raises(UsageError, match="other data"):
        screened(made(), told=told)


def test_what_is_written_of_flagged_items_holds_none_of_their_content(clean):
    rows = made()
    rows.append(dict(rows[3]))
    found = screened(rows)
    written = decisions.printed(found.flags, found.decisions) + decisions.quarantine(found.settled, found.decisions)
    words = {word for row in rows for word in str(row["text"]).split()} | {row["label"] for row in rows}
    assert [word for word in words if len(word) > 5 and word in written.decode()] == []
    assert json.loads(decisions.quarantine(clean.settled, NOBODY))["items"] == []

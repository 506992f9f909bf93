import random
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.redteam import blobs, journal
from ringfence.redteam.model import Outcome
from ringfence.redteam.verifying import verified
from ringfence.testing.redteam import HARDENED, endpoint, run_in, small

CORPUS = small(30)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    with endpoint(HARDENED) as there:
        run_in(folder, CORPUS, there.address, 40)
    return blobs.files(folder)


def test_a_run_as_it_was_written_has_no_problem(files):
    checked = verified(files)
    assert checked.problems == []
    assert checked.attempts == 3 * 42
    assert checked.withheld == []


def test_a_byte_flipped_anywhere_is_named_in_its_file(files):
    dice = random.Random(5)  # noqa: S311 -- places, not secrets
    for name, data in files.items():
        for place in {0, len(data) - 1, *(dice.randrange(len(data)) for _ in range(5))}:
            changed = data[:place] + bytes([data[place] ^ (1 << dice.randrange(8))]) + data[place + 1 :]
            problems = verified(files | {name: changed}).problems
            assert any(name in problem for problem in problems), (name, place)


@pytest.mark.soak
def test_every_byte_flipped_is_named(files):
    for name, data in files.items():
        for place in range(0, len(data), 41):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            assert any(name in problem for problem in verified(files | {name: changed}).problems), (name, place)


@pytest.mark.parametrize(
    "name", ["plan.json", "pack.jsonl", "run.json", "journal-target.jsonl", "journal-hardened.jsonl"]
)
def test_a_missing_file_is_named(files, name):
    left = {key: data for key, data in files.items() if key != name}
    assert any(name in problem for problem in verified(left).problems)


def test_texts_can_be_withheld_and_that_is_said(files):
    left = {key: data for key, data in files.items() if not key.startswith("texts-")}
    checked = verified(left)
    assert checked.problems == []
    assert checked.withheld == ["target", "vulnerable", "hardened"]


def test_a_statistic_that_does_not_follow_is_named(files):
    changed = files["run.json"].replace(b'"successes": 0', b'"successes": 1', 1)
    problems = verified(files | {"run.json": changed}).problems
    assert any("successes" in problem for problem in problems)


def test_a_record_left_out_at_the_end_is_missing(files):
    whole = files["journal-target.jsonl"]
    cut = whole[: whole.rfind(b"\n", 0, -1) + 1]
    problems = verified(files | {"journal-target.jsonl": cut}).problems
    assert any("the attempt is missing" in problem for problem in problems)


def test_another_text_under_the_same_id_is_named(files):
    told = files["texts-target.jsonl"].replace(b"operator", b"OPERATOR", 1)
    assert any(
        "the text that was recorded is not here" in one
        for one in verified(files | {"texts-target.jsonl": told}).problems
    )


def test_a_verdict_that_was_recorded_wrongly_does_not_follow(files):
    source = "journal-target.jsonl"
    link, data = journal.start(files["plan.json"], "target"), b""
    for record, _ in journal.records(files[source], link, source=source):
        changed = replace(record, outcome=Outcome.SUCCESS) if record.outcome is Outcome.RESISTED else record
        line, link = journal.line(changed, link)
        data += line
    assert any("does not follow from its text" in problem for problem in verified(files | {source: data}).problems)


def test_what_others_wrote_is_named_without_what_a_terminal_would_obey(files):
    source = "journal-target.jsonl"
    start = journal.start(files["plan.json"], "target")
    record, _ = next(journal.records(files[source], start, source=source))
    line, _ = journal.line(replace(record, id="\x1b[2J" + "x" * 9000), start)
    problems = verified(files | {source: line}).problems
    assert any("[2Jxxx" in problem for problem in problems)
    assert all(problem.isprintable() and len(problem) < 1000 for problem in problems)


VECTOR = Path(__file__).parents[3] / "docs" / "specs" / "vectors" / "redteam"


def test_the_published_run_verifies():
    checked = verified(blobs.files(VECTOR / "run"))
    assert checked.problems == []
    assert str(checked.run) in (VECTOR / "README.md").read_text()
    assert checked.document["totals"]["successes"] > 0

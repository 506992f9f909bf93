import os
import stat

import pytest

from ringfence.kernel.errors import Conflict, NotFound, Unavailable, UsageError, VerificationFailed
from ringfence.redteam import blobs
from ringfence.redteam.document import plan_bytes
from ringfence.redteam.journal import Text
from ringfence.redteam.model import Outcome
from ringfence.testing.redteam import drawn, plan, record, small

CORPUS = small()
PLAN = plan_bytes(plan(CORPUS))
ATTEMPTS = drawn(CORPUS, 5)


@pytest.fixture
def folder(tmp_path):
    blobs.create(tmp_path / "run", PLAN, CORPUS)
    with blobs.opened(tmp_path / "run", "target", PLAN) as journal:
        for attempt in ATTEMPTS:
            add(journal, attempt)
    return tmp_path / "run"


def add(journal, attempt):
    text = Text(attempt.id, b"x" * 32, "an answer")
    journal.add(record(attempt, Outcome.RESISTED, response=text.commitment), text)


def held(folder):
    with blobs.opened(folder, "target", PLAN) as journal:
        return list(journal.records)


def test_a_journal_holds_what_was_added(folder):
    assert held(folder) == [attempt.id for attempt in ATTEMPTS]


def test_texts_are_for_their_owner_alone_and_stand_in_no_journal(folder):
    assert stat.S_IMODE((folder / "texts-target.jsonl").stat().st_mode) == 0o600
    assert b"an answer" not in (folder / "journal-target.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["journal-target.jsonl", "texts-target.jsonl"])
def test_wherever_a_write_was_cut_off_the_rest_is_kept_and_can_go_on(folder, name):
    whole = (folder / name).read_bytes()
    for size in range(len(whole) - len(whole.splitlines()[-1]) - 1, len(whole), 37):
        (folder / name).write_bytes(whole[:size])
        assert held(folder) == [attempt.id for attempt in ATTEMPTS[:-1]]
        with blobs.opened(folder, "target", PLAN) as journal:
            add(journal, ATTEMPTS[-1])
        assert held(folder) == [attempt.id for attempt in ATTEMPTS]


def test_a_text_without_its_record_is_cut_off(folder):
    with (folder / "texts-target.jsonl").open("ab") as file:
        file.write(b'{"id":"more#0","response":"x","salt":"' + b"00" * 32 + b'"}\n')
    held(folder)
    assert b"more#0" not in (folder / "texts-target.jsonl").read_bytes()


def test_a_text_is_written_before_its_record(folder):
    more = drawn(CORPUS, 6)[-1]
    with blobs.opened(folder, "target", PLAN) as journal:
        good, journal._journal = journal._journal, os.open(folder, os.O_RDONLY)
        with pytest.raises(Unavailable, match="journal"):
            add(journal, more)
        os.close(journal._journal)
        journal._journal = good
    assert more.id.encode() in (folder / "texts-target.jsonl").read_bytes()
    assert more.id not in held(folder)


def test_a_damaged_journal_is_not_gone_on_with(folder):
    path = folder / "journal-target.jsonl"
    path.write_bytes(path.read_bytes().replace(b"resisted", b"success", 1))
    with pytest.raises(VerificationFailed, match="journal-target"):
        held(folder)


def test_a_run_whose_texts_were_taken_away_is_not_gone_on_with(folder):
    (folder / "texts-target.jsonl").unlink()
    with pytest.raises(UsageError, match="verified, not resumed"):
        held(folder)
    assert (folder / "journal-target.jsonl").stat().st_size > 0


def test_a_run_that_was_killed_before_its_first_record_can_go_on(tmp_path):
    blobs.create(tmp_path / "run", PLAN, CORPUS)
    (tmp_path / "run" / "journal-target.jsonl").touch()
    assert held(tmp_path / "run") == []


def test_a_folder_in_use_is_left_alone(folder):
    with blobs.locked(folder), pytest.raises(Conflict, match="another run"), blobs.locked(folder):
        pass


def test_a_folder_that_holds_something_is_not_written_to(folder):
    with pytest.raises(UsageError, match="--resume"):
        blobs.create(folder, PLAN, CORPUS)


def test_files_that_do_not_belong_to_a_run_are_named(folder):
    assert set(blobs.files(folder)) == {"plan.json", "pack.jsonl", "journal-target.jsonl", "texts-target.jsonl"}
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="notes"):
        blobs.files(folder)


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound):
        blobs.files(tmp_path / "none")

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.customers import answering, questions
from ringfence.customers.answering import NO_EVIDENCE
from ringfence.customers.questions import Pointer, Question
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.obligations import board, catalog
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.customers import lab
from ringfence.testing.ledger import TENANT

CATALOG = catalog.load()
LOG = lab()
SAMPLE = json.loads(package_file("samples/statements.json"))["log.heartbeat"]
LOG.state("log.heartbeat", SAMPLE["claims"], by="control", subjects=(Subject(SAMPLE["subject"], Digest.of(b"log")),))
BOARD = board.compute(CATALOG, Records.of(TENANT, LOG.statements(), demo=False), LOG.now)
RESTING = next(one for one in BOARD.controls if any(part.rests_on for part in one.requirements))
BARE = next(one for one in BOARD.controls if not any(part.rests_on for part in one.requirements))
DIGESTS = {one.entry: one.envelope.digest for one in LOG.statements()}
NAMES = [control.id for control in CATALOG.controls]
WORDS = {"satisfied", "not satisfied", "pending", "upcoming", "not applicable", NO_EVIDENCE}


def answer(*controls):
    asked = Question("Q", "?", Pointer(controls))
    return answering.answer(BOARD, asked, questions.match(CATALOG, asked))


def test_a_question_that_points_nowhere_gets_two_words():
    state, records, strength, how, _ = answering.cells(answer(), DIGESTS, "now")
    assert (state, records, strength, how) == (NO_EVIDENCE, "", "", "not matched")


def test_a_control_without_records_gets_two_words_and_says_how_it_was_found():
    state, records, strength, how, _ = answering.cells(answer(BARE.control.id), DIGESTS, "now")
    assert (state, records, strength, how) == (NO_EVIDENCE, "", "", f"{BARE.control.id}: named")


def test_a_control_with_records_gets_status_record_ids_and_strength():
    state, records, strength, _, as_of = answering.cells(answer(RESTING.control.id), DIGESTS, "now")
    entry = min(one.entry for part in RESTING.requirements for one in part.rests_on)
    assert state.startswith(f"{RESTING.control.id}: {RESTING.verdict.state.value.replace('-', ' ')}")
    assert f"entry {entry} {DIGESTS[entry]}" in records
    assert strength == f"{RESTING.control.id}: {RESTING.weakest.text}"
    assert as_of == "now"


def test_of_two_controls_the_one_without_records_says_so():
    state = answering.cells(answer(RESTING.control.id, BARE.control.id), DIGESTS, "now")[0]
    assert f"{BARE.control.id}: {NO_EVIDENCE}" in state.split("; ")


@settings(max_examples=40)
@given(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
def test_no_answer_is_prose(controls):
    one = answer(*controls)
    state = answering.cells(one, DIGESTS, "now")[0]
    if one.without:
        assert state == NO_EVIDENCE
        return
    for part in state.split("; "):
        name, _, said = part.partition(": ")
        assert name in NAMES
        assert said.partition(" (")[0].removesuffix(", pending") in WORDS


def test_the_counts_are_those_of_the_questions():
    found = [answer(), answer(BARE.control.id), answer(RESTING.control.id)]
    assert answering.counts(found) == {"questions": 3, "unmatched": 1, "withoutEvidence": 2}


def test_a_program_gets_the_same():
    made = answering.document(answer(RESTING.control.id), DIGESTS, "now")
    assert made["controls"][0]["state"] == RESTING.verdict.state.value
    assert {one["envelope"] for one in made["records"]} <= {str(digest) for digest in DIGESTS.values()}

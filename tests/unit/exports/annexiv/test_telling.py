from ringfence.exports.annexiv.points import points
from ringfence.exports.annexiv.telling import found, record, told, words
from ringfence.ledger.model import Standing
from ringfence.obligations.records import Records
from ringfence.testing.techdoc import DATASET, declared, story

TELLINGS = {telling.type: telling for point in points() for telling in point.evidence}


def look(name, told_):
    records = Records.of(told_.tenant, told_.statements)
    return list(found(TELLINGS[name], declared(), told_.tenant, records))


def test_a_record_is_told_with_its_entry_digest_and_strength():
    tale = story()
    (one,) = look("dataset.sealed", tale)
    made = told(one, one.counts)
    assert made["sentences"] == [f"Dataset {DATASET}, epoch 1, was sealed: 3 files, 4096 bytes, AES-256-GCM."]
    assert (made["mark"], made["record"]["entry"], made["record"]["strength"]) == ("observed", 1, "observed")
    assert made["record"]["digest"] == str(tale.statements[1].envelope.digest)


def test_a_sentence_with_a_claim_that_is_not_there_is_left_out():
    tale = story()
    tale.add("run.manifest", {"run": "r1"}, subject="run/r1")
    text = "uses: {run: [r1]}"
    from ringfence.testing.techdoc import TEXT

    read = declared(TEXT.replace(f"uses: {{dataset: [{DATASET}]}}", text))
    (one,) = found(TELLINGS["run.manifest"], read, tale.tenant, Records.of(tale.tenant, tale.statements))
    assert told(one, one.counts)["sentences"] == []


def test_a_record_about_another_thing_is_not_told():
    tale = story()
    tale.add("dataset.sealed", {"dataset": "f" * 32, "epoch": 9}, subject="dataset/" + "f" * 32)
    assert [one.counts.entry for one in look("dataset.sealed", tale)] == [1]


def test_the_newest_that_counts_is_told_and_what_does_not_count_is_set_aside():
    tale = story()
    tale.add("dataset.sealed", {"dataset": DATASET, "epoch": 2}, subject=f"dataset/{DATASET}")
    tale.add("dataset.sealed", {"dataset": DATASET}, subject=f"dataset/{DATASET}", standing=Standing.REVOKED)
    (one,) = look("dataset.sealed", tale)
    assert one.counts.entry == 2
    ((logged, why),) = one.aside
    assert (logged.entry, "revoked" in why) == (3, True)


def test_a_form_is_told_by_its_questions_and_marked_documented():
    from ringfence.kernel.statement import Strength
    from ringfence.testing.techdoc import SYSTEM

    tale = story()
    claims = {"reviewedOn": "2026-11-20", "file": "sha256:" + "a" * 64, "hazards": 4}
    tale.add("ai.risk_file", claims, subject=f"system/{SYSTEM}", strength=Strength.DOCUMENTED)
    (one,) = look("ai.risk_file", tale)
    made = told(one, one.counts)
    assert made["mark"] == "documented"
    assert "How many hazards are in it? 4" in made["sentences"]
    assert len(made["sentences"]) == 2  # a digest of a document is no sentence


def test_claims_in_words():
    assert [words(v) for v in (None, True, False, 7, ["a", 1], [], "x")] == ["", "yes", "no", "7", "a, 1", "none", "x"]


def test_a_record_names_itself():
    assert record(story().statements[0])["predicate"] == "ai.classification"

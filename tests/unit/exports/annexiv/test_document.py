from datetime import timedelta

import pytest

from ringfence.exports.annexiv.document import answers, document, problems
from ringfence.kernel.digest import dumps
from ringfence.kernel.errors import NotFound, Refused
from ringfence.ledger.model import Standing
from ringfence.obligations.forms import shelf
from ringfence.testing.obligations import START, Story
from ringfence.testing.techdoc import SYSTEM, TEXT, basis, declared, story


def made(tale=None, text=TEXT):
    return document(declared(text), basis(tale or story()))


def sentences(found):
    for point in found["points"]:
        for row in point["declared"]:
            yield row["text"], (row["author"], row["date"])
        for row in point["recorded"]:
            for text in row["sentences"]:
                yield text, row["record"]["digest"]


def test_all_nine_points_are_there_and_what_nobody_stated_is_said_to_be_missing():
    found = made()
    assert [point["point"] for point in found["points"]] == [f"iv-{n}" for n in range(1, 10)]
    assert found["missing"] == [f"iv-{n}" for n in range(3, 10)]
    assert found["points"][4]["said"] == "Point 5: nothing stated."
    assert found["counts"]["points_missing"] == 7


def test_each_sentence_has_a_record_or_an_author_and_a_day():
    found = list(sentences(made()))
    assert len(found) == made()["counts"]["sentences"] == 4
    assert all(source and all(source) for _, source in found)


def test_the_conclusion_is_later_than_the_last_record():
    found = made()
    assert found["made_at"] > found["evidence_until"]
    tale = story()
    whole = basis(tale)
    late = type(whole)(**{n: getattr(whole, n) for n in whole.__slots__} | {"as_of": tale.statements[-1].recorded_at})
    with pytest.raises(Refused, match="later than the last record"):
        document(declared(), late)


def test_no_document_is_made_before_the_window_of_evidence_closes():
    with pytest.raises(Refused, match="closes with 2026-11-22"):
        made(text=TEXT.replace("to: 2026-11-20", "to: 2026-11-22"))
    with pytest.raises(Refused, match="before it begins"):
        made(text=TEXT.replace("from: 2026-11-01", "from: 2026-11-21"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date: 2026-11-22", "date: 2026-11-21", "later"),
        ("date: 2026-11-22", "date: 2026-11-23", "has not come yet"),
        ("rests_on: [0]", "rests_on: [99]", "no record 99"),
    ],
)
def test_a_sentence_that_is_older_than_its_record_or_rests_on_none_is_a_problem(old, new, said):
    (problem,) = problems(declared(TEXT.replace(old, new)), basis(story()))
    assert said in problem.message
    assert problem.line == 6


def test_a_sentence_does_not_rest_on_what_counts_for_nothing():
    tale = story()
    tale.add("redteam.run", {}, standing=Standing.REVOKED)
    (problem,) = problems(declared(TEXT.replace("rests_on: [0]", "rests_on: [2]")), basis(tale))
    assert "counts for nothing" in problem.message


def test_without_a_signed_scope_there_is_no_document():
    with pytest.raises(NotFound, match="ringfence scope"):
        document(declared(), basis(_other()))


def _other():
    tale = Story()
    tale.add("dataset.sealed", {})
    return tale


def test_a_deployer_draws_up_none():
    tale = story(role="deployer", roles=["deployer:high_risk_annex_III"])
    with pytest.raises(Refused, match="deployer"):
        made(tale)


def test_where_the_act_does_not_ask_for_it_the_document_says_so():
    assert made()["system"]["asked_for"] is True
    tale = story(**{"class": "out_of_scope", "provision": "AI Act 2(6)", "roles": ["provider:out_of_scope"]})
    system = made(tale)["system"]
    assert system["asked_for"] is False
    assert "AI Act 2(6)" in system["because"]


def test_the_simplified_form_names_the_size_that_the_scope_says():
    text = TEXT.replace("points:", "form: simplified\nsimplified_because: We have 20 people and one system.\npoints:")
    assert "no signed scope" in made(text=text)["extent"]["by"]
    tale = story()
    tale.add("entity.classification", {"sizeClass": "small"}, subject="entity/acme")
    assert made(tale, text)["extent"] | {"because": ""} == {
        "form": "simplified",
        "because": "",
        "by": "the signed scope says that the organisation is small",
        "entry": 2,
    }


def test_what_does_not_count_is_shown_as_such_and_makes_no_point_stated():
    tale = story()
    tale.add("ai.risk_file", {"hazards": 1}, subject=f"system/{SYSTEM}", standing=Standing.EXPIRED)
    point = made(tale)["points"][4]
    assert point["state"] == "missing"
    assert point["set_aside"][0]["entry"] == 2


def test_a_demo_record_never_stands_in_a_real_tenants_document():
    tale = story()
    tale.add("ai.risk_file", {"hazards": 1}, subject=f"system/{SYSTEM}", demo=True)
    assert made(tale)["points"][4]["state"] == "missing"
    assert made(tale)["demo"] is False


def test_the_same_log_and_declaration_give_the_same_bytes():
    assert dumps(made()) == dumps(made())


def test_the_answers_fit_the_form_by_which_it_is_signed_off():
    found = answers(made())
    form = shelf.form("techdoc.complete")
    assert found["headings"] == ["iv-1", "iv-2"]
    assert all(form.question(name) for name in found)


def test_two_tenants_with_other_evidence_share_less_than_a_tenth_of_what_is_told():
    def tenant(number, place):
        name = f"{number:032x}"
        tale = Story(f"tenant-{number}", start=START + timedelta(hours=number))
        claims = {"role": "provider", "class": "high_risk_annex_I", "provision": f"AI Act 6(1), {place}"}
        claims |= {"appliesFrom": "2028-08-02", "roles": ["provider:high_risk_annex_I"]}
        tale.add("ai.classification", claims, subject=f"system/{SYSTEM}")
        tale.add("dataset.sealed", {"dataset": name, "epoch": number, "objects": 3 * number, "bytes": 4096 * number,
                                    "suite": "AES-256-GCM"}, subject=f"dataset/{name}")  # fmt: skip
        tale.add("model.scan", {"model": name, "tool": place, "toolVersion": f"{number}.0", "verdict": "clean",
                                "refused": 0, "unknown": number}, subject=f"model/{name}")  # fmt: skip
        declared_ = f"The {place} line of our plant decides on {number} parts a minute."
        text = TEXT.replace("The system sorts X-ray images by urgency for the radiologists of a hospital.", declared_)
        text = text.replace(
            text[text.index("uses:") : text.index("points:")], f"uses: {{dataset: ['{name}'], model: ['{name}']}}\n"
        )
        return [text for text, _ in sentences(document(declared(text), basis(tale)))]

    first, second = tenant(1, "painting"), tenant(2, "welding")
    shared = set(first) & set(second)
    assert len(first) == len(second) == 5
    # One sentence follows from the law alone: the day from which the duties of a class apply.
    assert shared == {"The duties of that class apply from 2028-08-02."}
    told = [text for text in first if text not in shared]
    assert len(set(told) & set(second)) / len(told) < 0.1

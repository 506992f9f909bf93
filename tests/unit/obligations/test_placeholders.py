"""What is told apart, measured on corpora: sentences of this project's documentation, and what nobody meant."""

import random
import re
import sys
from pathlib import Path

import pytest

from ringfence.obligations.placeholders import MAX_TEXT, Problem, problem

DOCS = Path(__file__).parents[3] / "docs"
ELSEWHERE = [
    "Die Bewertung der Wirksamkeit erfolgt einmal im Jahr durch die Leitung der Angstschweißforschung.",
    "Der Wert wird in Kilowattstunden gemessen, bzw. in Megawattstunden.",
    "Le service est fourni aux hôpitaux de la région par une équipe d'astreinte.",
    "El sistema clasifica las imágenes de rayos X según su urgencia.",
    "System przetwarza zdjęcia rentgenowskie wyłącznie na terenie Polski.",
    "Systém třídí rentgenové snímky podle naléhavosti a výsledek potvrzuje lékař.",
    "Järjestelmä lajittelee röntgenkuvat kiireellisyyden mukaan.",
    "Het systeem sorteert röntgenbeelden op urgentie; de arts beslist altijd zelf.",
    "A rendszer sürgősség szerint rendezi a röntgenfelvételeket.",
    "Sistemi röntgenipildid järjestatakse kiireloomulisuse järgi.",
    "Το σύστημα ταξινομεί τις ακτινογραφίες ανάλογα με το επείγον.",  # noqa: RUF001 - Greek
    "Системата подрежда рентгенови снимки по спешност.",
    "Systemet sorterar röntgenbilder efter hur brådskande de är.",
]
MEANT = [
    "NIS2 asks for an early warning within 24 h of awareness; our clock starts at the signed decision.",
    "The TPM of each node is read over SSH, and the TLS certificate lasts 90 days.",
    "Weights lie at `<home>/gateway`, see `{{model}}` in the template.",
    "Checked against sha256:9ebe6ebc54659da9f366711909acfb085ad596c7d9079046aca48092785be899 at each start.",
    "The strengths of the rhythm method are described in [the handbook](handbook.md).",
]
LEFT = [
    *("todo", "tbd", "todo: describe the data", "To be determined by the team.", "We describe this later (Fixme)."),
    *("Lorem ipsum dolor sit amet, consectetur adipiscing elit.", "xxx", "The accuracy is xxx per cent.", "Xxxx"),
    *("[…]", "[...]", "[describe the data]", "The [role] answers for [which systems].", "Our company name here"),
    *("<name of the system> is provided by us.", "{{declared}} is what we say", "${SYSTEM} sorts images", "%SYSTEM%"),
    *(
        "sdf",
        "sdf sdf sdf",
        "asdf asdf asdf asdf",
        "The system asdfgh images.",
        "qwerty is our metric here",
        "aaaa bbbb cccc",
    ),
    *(
        "The owner is ______.",
        "The number is .........",
        "Who does it ????",
        "hahahaha that is our plan",
        "lalala we do not know",
    ),
    *("", "   ", "Yes.", "n/a", "none", "see above", "ok", "...", "-", "?"),
    *("insert the text here please", "Write something useful here.", "blah blah blah", "foobar does the sorting"),
    *(
        "hjkl is what we use",
        "We use zxcv for training the model.",
        "The hqzrt of the plan is fixed.",
        "It is qxv and no more.",
    ),
]


def sentences():
    found = set()
    for file in sorted(DOCS.rglob("*.md")):
        text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n", text):
            if not re.match(r"\s*(\||#|- \[|:|\(|<|!)", paragraph):
                found.update(re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(paragraph.split())))
    words = (re.sub(r"^[-*\d.]+\s+", "", text) for text in found)
    return sorted(t for t in words if len(t) > 30 and t.endswith(".") and t.count("`") % 2 == 0)


def mashed(count, seed=7):
    """Letters drawn at random, and hands that fell on the middle row of the keyboard."""
    rng, rows = random.Random(seed), ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # noqa: S311 - the same each time
    for _ in range(count):
        yield " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(5))
        hand = (rows[1] if rng.random() < 0.8 else rng.choice(rows) for _ in range(4))
        yield " ".join("".join(rng.choices(row, k=rng.randint(4, 8))) for row in hand)


def test_what_people_wrote_passes(capsys):
    corpus = sentences()
    wrong = [(text, said) for text in corpus if (said := problem(text))]
    with capsys.disabled():
        sys.stdout.write(f"\nplaceholders: {len(wrong)} of {len(corpus)} sentences of the documentation flagged\n")
    assert len(corpus) >= 300
    assert len(wrong) / len(corpus) < 0.01, wrong[:5]


def test_what_nobody_meant_fails(capsys):
    corpus = list(mashed(400))
    passed = [text for text in corpus if not problem(text)]
    with capsys.disabled():
        sys.stdout.write(f"\nplaceholders: {len(passed)} of {len(corpus)} random rows of letters passed\n")
    assert len(passed) / len(corpus) < 0.02, passed[:5]


@pytest.mark.parametrize("text", [*ELSEWHERE, *MEANT])
def test_other_languages_numbers_names_and_code_pass(text):
    assert not problem(text)


@pytest.mark.parametrize("text", LEFT)
def test_what_was_left_in_place_of_a_sentence_fails(text):
    assert problem(text)


def test_a_name_may_be_one_word_but_no_placeholder():
    assert not problem("Ada", least_words=1)
    assert not problem("Head of Product", least_words=1)
    assert problem("todo", least_words=1)
    assert problem("[role]", least_words=1)


def test_a_text_is_bounded():
    assert "more than" in problem("word " * MAX_TEXT)


def test_a_problem_names_line_and_field():
    assert Problem(3, "text", "is empty").to_json() == {"line": 3, "field": "text", "message": "is empty"}

from itertools import count

import pytest

from ringfence.governance.risks import importing, statements
from ringfence.governance.risks.model import Rating, Treatment
from ringfence.governance.risks.statements import Known
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import in_days

KNOWN = Known({"DAT-01", "MOD-01"}, {"T01", "T12"})
HEAD = "title,likelihood,impact,review_on"
DAY = str(in_days(90))


def read(text, known=KNOWN):
    numbers = count()
    data = text if isinstance(text, bytes) else text.encode()
    return importing.parse(data, known, lambda: f"{next(numbers):012x}", source="r.csv")


def test_a_register_is_read_whole():
    rows = read(
        "\ufefftitle,likelihood,impact,review_on,owner,owner_id,threats,controls,treatment,plan,residual_likelihood,"
        "residual_impact,due_on,done\r\n"
        f'"Weights, taken",4,5,{DAY},Head of platform,person-0123456789ab,T12 T01,MOD-01,'
        f"reduce,Sign them.,2,3,{DAY},no\r\nAnother,1,1,{DAY},,,,,accept,,1,1,,\r\n"
    )
    first, second = rows
    assert (first.title, first.rating, first.threats) == ("Weights, taken", Rating(4, 5), ("T01", "T12"))
    assert (first.plan.kind, first.plan.residual, str(first.plan.due_on)) == (Treatment.REDUCE, Rating(2, 3), DAY)
    assert (first.owned, second.owned) == (True, False)
    assert second.plan.kind is Treatment.ACCEPT
    assert first.id != second.id
    draft = statements.registered(rows)
    assert statements.parse_registered(draft.claims, draft.details, KNOWN) == rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title,likelihood,impact\nA,1,1", "no column review_on"),
        (f"{HEAD},colour\nA,1,1,{DAY},red", "'colour' too many"),
        (f"{HEAD},title\nA,1,1,{DAY},B", "too many"),
        (f"{HEAD}\nA,1,6,{DAY}", r"r.csv:2: impact: .*1 to 5"),
        (f"{HEAD}\nA,1,1,{DAY}\nB,1,1,soon", r"r.csv:3: review_on"),
        (f"{HEAD}\n,1,1,{DAY}", "r.csv:2: title"),
        (f"{HEAD}\nA,1,1", "another number of columns"),
        (f"{HEAD}\nA,1,1,{DAY},more", "another number of columns"),
        (f"{HEAD},threats\nA,1,1,{DAY},T99", "'T99' is not known"),
        (f"{HEAD},controls\nA,1,1,{DAY},MOD-01 MOD-01", "names something twice"),
        (f"{HEAD},treatment\nA,1,1,{DAY},ignore", "treatment: is one of"),
        (f"{HEAD},treatment\nA,1,1,{DAY},reduce", "due_on: a treatment that is not done"),
        (f"{HEAD},due_on\nA,1,1,{DAY},{DAY}", "due_on: belongs to a treatment"),
        (f"{HEAD},treatment,done\nA,1,1,{DAY},accept,maybe", "done: is yes or no"),
        (f"{HEAD},owner_id\nA,1,1,{DAY},anna", "owner_id"),
        (HEAD, "1 to 500 rows, not 0"),
        ("", "no column title"),
        (f'{HEAD}\n"A,1,1,{DAY}', "is not CSV"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_row_that_cannot_be_read_imports_nothing_and_is_named(text, words):
    with pytest.raises(MalformedInput, match=words):
        read(text)


def test_a_register_is_bounded():
    with pytest.raises(MalformedInput, match="1 to 500 rows"):
        read("\n".join([HEAD, *[f"A,1,1,{DAY}"] * 501]))
    with pytest.raises(MalformedInput, match="has more than"):
        read(b"x" * (importing.MAX_BYTES + 1))

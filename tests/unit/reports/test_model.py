import pytest

from ringfence.reports.model import Failure, Verdict
from ringfence.reports.verify import verify


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (Failure("why"), "why"),
        (Failure("why", 7), "record 7: why"),
        (Failure("why", 7, 9), "record 7 (entry 9): why"),
        (Failure("why", 7, 9, "dataset.sealed"), "record 7 (dataset.sealed, entry 9): why"),
    ],
)
def test_a_failure_names_its_record(failure, text):
    assert str(failure) == text


def test_the_document_says_everything(log, pack):
    document = verify(pack.replace(b'"objects":3', b'"objects":4'), log.trust()).to_json()
    assert document["failures"] == [
        {
            "record": 4,
            "entry": 3,
            "predicate": "dataset.sealed",
            "reason": "the readable statement is not the one that was signed",
        }
    ]
    expected = {"ok": False, "verdict": Verdict.FAILED, "tenant": "acme", "log": "lab.example/log", "demo": False}
    assert expected.items() <= document.items()
    assert (document["records"], document["size"], document["status"]) == (8, 8, {"controls": []})
    assert len(document["head"]) == 64

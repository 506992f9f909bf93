from ringfence.obligations.comparing.lines import lines

VERSION = {"rules": "sha256:" + "a" * 64, "counts": True, "ships": False, "statements": 2, "last": {"entry": 9}}
COUNTS = {"satisfied": 3, "denominator": 100}
SAME = {
    "as_of": "2026-11-22T09:00:00.000Z",
    "of": "edition",
    "note": None,
    "there": {"rules": "sha256:" + "b" * 64, "counts": COUNTS},
    "here": {"rules": "sha256:" + "a" * 64, "counts": COUNTS | {"satisfied": 4}},
    "only_there": [],
    "only_here": [],
    "changed": [],
    "states": [],
}
CHANGE = {
    "kind": "rule",
    "id": "log-02.chain",
    "called": "how old evidence may be",
    "looser": True,
    "there_in_words": "5 h",
    "here_in_words": "1 d",
}
MOVED = {"control": "GOV-01", "there": None, "here": {"state": "not-satisfied"}}


def said(**changed):
    return list(lines({"versions": [VERSION], "comparison": SAME | changed}))


def test_what_does_not_differ_is_said():
    assert said() == [
        "sha256:aaaaaaaaaaaa  counts here, named by 2 statements, the last at entry 9",
        "There sha256:bbbbbbbbbbbb (edition), here sha256:aaaaaaaaaaaa, as of 2026-11-22T09:00:00.000Z",
        "no rule differs",
        "By the rules there: 3 of 100 controls satisfied",
        "By the rules here: 4 of 100 controls satisfied",
        "no state differs",
    ]


def test_each_difference_has_a_line():
    found = said(changed=[CHANGE], only_here=[{"kind": "control", "id": "GOV-01"}], states=[MOVED], note="a note")
    assert found[2:5] == [
        "a note",
        "only here  control GOV-01",
        "looser here  rule log-02.chain, how old evidence may be: 5 h -> 1 d",
    ]
    assert found[-1] == "GOV-01  no such control there, not satisfied here"


def test_a_status_that_cannot_be_computed_is_said_to_be_so():
    assert said(states=None)[-1] == "what the status would be by those rules cannot be computed from a part of them"

"""The prefilter leaves out no rule that would match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.soc.detection.prefilter import Prefilter
from ringfence.soc.detection.rule import Rule
from ringfence.soc.detection.sigma import load

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
HEAD = "title: t{0}\nname: t{0}\nlogsource:\n  service: sshd\ndetection:\n"
DETECTIONS = (
    "  s:\n    f: abc\n  condition: s\n",
    "  s:\n    f: [abc, abd]\n    g|contains: xyz\n  condition: s\n",
    "  s:\n    f|contains: [abc, bcd]\n  condition: s\n",
    "  s:\n    f|re: a.c\n  condition: s\n",
    "  s:\n    f: abc\n  n:\n    g: x\n  condition: s and not n\n",
    "  s:\n    f: abc\n  condition: not s\n",
    "  s:\n    - abc\n    - 'b*cde'\n  condition: s\n",
    "  s:\n    f|startswith: 'ab'\n  condition: s\n",
    "  s:\n    f: abc\n  n:\n    g: 1\n  condition: s or n\n",
    "  s:\n    f|contains|all: [abc, cde]\n  condition: s\n",
    "  s:\n    f|endswith: [cd, de]\n  condition: s\n",
    "  s:\n    f|exists: true\n  condition: s\n",
    "  s:\n    f: null\n  condition: s\n",
    "  s:\n    f|re: a.c\n    g|re: x.z\n  condition: s\n",
    "  s:\n    f|startswith: '*c?d'\n  condition: s\n",
    "  s:\n    f|exists: false\n  condition: s\n",
)
RULES: tuple[Rule, ...] = load([HEAD.format(number) + text for number, text in enumerate(DETECTIONS)]).rules
FILTER = Prefilter(RULES)
TEXT = st.text(alphabet="abcdexyz", max_size=7)


@given(st.dictionaries(st.sampled_from("fg"), TEXT | st.integers(0, 2) | st.none() | st.lists(TEXT, max_size=2)), TEXT)
def test_no_rule_that_matches_is_left_out(fields: dict[str, object], raw: str) -> None:
    expected = sorted(rule.about.name for rule in RULES if rule.match(fields, raw))
    assert sorted(rule.about.name for rule in FILTER.matching(fields, raw)) == expected
    assert {rule.about.name for rule in FILTER.candidates(fields, raw)} >= set(expected)


def test_what_cannot_match_is_not_tried() -> None:
    tried = {rule.about.name for rule in FILTER.candidates({"f": "zzz"}, "zzz")}
    assert tried == {"t5", "t8", "t11", "t12", "t13", "t15"}  # not f; f or g; f is there, f is not; two fields
    without = {rule.about.name for rule in RULES if rule.anchors is None}
    assert without - tried == {"t3", "t7", "t10", "t14"}, "they read one field, and its value was looked at once"


def test_what_is_remembered_of_a_value_is_used_for_no_other() -> None:
    for value in ("abcx", "abc", "ABC", "abcx", "abc"):
        names = {rule.about.name for rule in FILTER.matching({"f": value}, "")}
        assert ("t0" in names) is (value.lower() == "abc")

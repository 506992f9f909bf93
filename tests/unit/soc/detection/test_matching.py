"""Conditions as Sigma means them, each modifier in and out; what is not evaluated is refused by its name."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.rule import Rule
from ringfence.soc.detection.sigma import load

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")


def rule(selection: str, condition: str = "s") -> Rule:
    text = f"title: t\nname: t\nlogsource:\n  service: sshd\ndetection:\n{selection}\n  condition: {condition}\n"
    (found,) = load([text]).rules
    return found


CASES: list[tuple[str, list[object], list[object]]] = [
    ("f: Abc", ["abc", "ABC"], ["abcd", None, 3]),
    ("f: 'a*c'", ["ac", "abbc"], ["acd", "xac"]),
    ("f: 'a?c'", ["abc"], ["ac", "abbc"]),
    ("f: '*a?c*d'", ["xabcyd", "aacd"], ["acd", "abcdx"]),
    (r"f: 'a\*c'", ["a*c"], ["abc"]),
    ("f|contains: b.", ["ab.c", "B."], ["abc"]),
    ("f|startswith: ab", ["abc", "AB"], ["cab"]),
    ("f|endswith: bc", ["abc"], ["bca"]),
    ("f|contains|all: [ab, cd]", ["cd ab"], ["ab", "cd"]),
    ("f|contains: [ab, cd]", ["xcd"], ["ac"]),
    ("f|re: ^a.c$", ["abc"], ["ABC", "abcd"]),
    ("f|re|i: ^a.c$", ["ABC"], ["abcd"]),
    ("f|cidr: 192.0.2.0/24", ["192.0.2.77"], ["192.0.3.1", "host", "2001:db8::1"]),
    ("f|cidr: 2001:db8::/32", ["2001:db8::9"], ["2001:db9::9"]),
    ("f: 22", [22, "22"], [220, "022", None]),
    ("f|gt: 5", [6, "6.5"], [5, "x", None]),
    ("f|gte: 5", [5], [4]),
    ("f|lt: 5", [4], [5]),
    ("f|lte: 5", [5], [6]),
    ("f: true", [True, "true"], [False, "x"]),
    ("f: null", [None], ["", "x"]),
    ("f: ''", [""], ["x"]),
    ("f|exists: true", ["x"], []),
    ("f|cased: Abc", ["Abc"], ["abc"]),
    ("f|base64: hello", ["aGVsbG8="], ["hello"]),
    ("f|base64offset|contains: hello there", ["aGVsbG8gdGhlcmU", "xoZWxsbyB0aGVyZ"], ["hello there"]),
    ("f|windash|contains: ' -x'", ["a -x", "a /x"], ["ax"]),
    ("f|fieldref: other", ["same"], ["x"]),
]


@pytest.mark.parametrize(("selection", "true", "false"), CASES)
def test_modifiers(selection: str, true: list[object], false: list[object]) -> None:
    match = rule(f"  s:\n    {selection}").match
    fields = [{"other": "same"} if value is None else {"f": value, "other": "same"} for value in true]
    assert [match(each, "") for each in fields] == [True] * len(true)
    assert [match({"f": value}, "") for value in false] == [False] * len(false)


def test_any_of_several_values_of_a_field() -> None:
    assert rule("  s:\n    f|contains: b").match({"f": ["a", "b"]}, "")


def test_keywords_look_at_the_raw_text() -> None:
    match = rule("  s:\n    - Needle\n    - 'a*z'").match
    assert match({}, "some NEEDLE here")
    assert match({}, "x a--z x")
    assert not match({"f": "needle"}, "")


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        ("a and b", {"f": "1", "g": "2"}, True),
        ("a and b", {"f": "1"}, False),
        ("a or b", {"g": "2"}, True),
        ("a and not b", {"f": "1"}, True),
        ("a and not b", {"f": "1", "g": "2"}, False),
        ("1 of them", {"g": "2"}, True),
        ("all of them", {"g": "2"}, False),
    ],
)
def test_conditions(condition: str, fields: dict[str, object], expected: bool) -> None:
    assert rule("  a:\n    f: 1\n  b:\n    g: 2", condition).match(fields, "") is expected


@pytest.mark.parametrize(
    ("selection", "named"),
    [
        ("f|expand: '%users%'", "expand"),
        ("f|fieldref|startswith: other", "fieldref"),
        ("f|hour: 7", "TimestampPart"),
        ("f|re: (a+)+$", "repeats a repetition"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(selection: str, named: str) -> None:
    with pytest.raises(MalformedInput, match=named):
        rule(f"  s:\n    {selection}")


def test_wildcards_take_linear_time_on_hostile_text() -> None:
    match = rule("  s:\n    f: '*a*a*a*a*a*a*a*a*a*b'").match
    assert not match({"f": "a" * 8192}, "")

from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from jinja2.exceptions import TemplateError

from ringfence.artifacts.models.composing import MAX_ROUNDS, below, composed_in, is_composed

ENVIRONMENT = Environment(extensions=["jinja2.ext.do"], autoescape=True)


def parts(text):
    return list(below(ENVIRONMENT.parse(text)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{% set k = a %}", set()),
        ("{% set k = a ~ b %}{% set l = k %}{% set m = l[0] %}", {"k", "l", "m"}),
        ("{% set ns = namespace(i=0) %}{% set ns.i = ns.i + 1 %}", set()),
        ("{% set ns.k = a ~ b %}", {"k"}),
        ("{% for k in a %}{% for l in b|map('lower') %}{% endfor %}{% endfor %}", {"l"}),
        ("{% macro f(k, l) %}{% endmacro %}{{ f(a, b) }}{{ g(a ~ b) }}", set()),
        ("{% macro f(k, l) %}{% endmacro %}{{ f(a, l=a ~ b) }}", {"k", "l"}),
    ],
)
def test_what_is_put_together_is_followed_from_name_to_name(text, names):
    assert composed_in(parts(text)) == names | {"kwargs", "varargs"}


def test_who_hands_a_text_on_too_often_is_believed_to_hand_on_everything():
    text = "".join(f"{{% set a{n} = a{n + 1} %}}" for n in range(MAX_ROUNDS + 2)) + "{% set b = c %}"
    assert not {"b", "a0"} & composed_in(parts(text))
    ended = text + f"{{% set a{MAX_ROUNDS + 2} = 'x' ~ y %}}"
    assert {"b", "a0"} <= composed_in(parts(ended))


GIVEN = {"words": ["ab", "c"], "record": {"name": "ab", "c": 1}, "number": 2, "word": "b-c"}
ATOMS = ("'a'", "'a_'", "'b_c'", "'-'", "1", "2", "words", "record", "number", "word", "'%s_'", "['a_', 'b']")
FILTERS = (
    *("first", "last", "upper", "list", "join", "join('_')", "reverse", "replace('-', '_')", "string", "length"),
    *("default('c')", "trim('a')", "sort", "unique", "items", "dictsort", "tojson", "max", "title", "batch(2)"),
)
METHODS = (
    "upper()",
    "replace('a', '')",
    "split('_')",
    "join(words)",
    "get('name')",
    "keys()",
    "lstrip('a')",
    "items()",
)


def combined(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["~", "+", "*", "%", "-"]), inner).map(lambda one: f"({' '.join(one)})"),
        st.tuples(inner, st.sampled_from(FILTERS)).map(lambda one: f"({one[0]}|{one[1]})"),
        st.tuples(inner, st.sampled_from(METHODS)).map(lambda one: f"({one[0]}).{one[1]}"),
        st.tuples(inner, st.sampled_from(["0", "-1", "1:", "::2", "1::2", "::-1", "'name'"])).map(
            lambda one: f"({one[0]})[{one[1]}]"
        ),
        st.tuples(inner, inner).map(lambda one: f"[{', '.join(one)}]"),
        st.tuples(inner, inner).map(lambda one: f"({one[0]} if number > 1 else {one[1]})"),
        st.tuples(inner, inner).map(lambda one: f"({one[0]} and {one[1]})"),
        inner.map(lambda one: f"dict(k={one}).k"),
    )


def texts_in(value):
    """Return every text in what an expression came to."""
    if isinstance(value, str):
        return [str(value)]
    if isinstance(value, dict):
        return list(chain.from_iterable(map(texts_in, chain(value.keys(), value.values()))))
    try:
        return list(chain.from_iterable(map(texts_in, value)))
    except TypeError:
        return []


@settings(max_examples=150)
@given(st.recursive(st.sampled_from(ATOMS), combined, max_leaves=6))
@example("('a_'[1:] + 'a_'[1:])")
@example("('b_c'[1::2] ~ word)")
@example("('a_b'|replace('a', '')|replace('b', ''))")
def test_no_expression_comes_to_a_name_of_pythons_own_unseen(expression):
    """Jinja itself is the judge: whatever it computes that begins with two underscores was seen to be composed."""
    try:
        value = ENVIRONMENT.compile_expression(expression, undefined_to_none=False)(**GIVEN)
        found = texts_in(value)
    except (
        TemplateError,
        SyntaxError,
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        ArithmeticError,
        MemoryError,
    ):
        return
    if any("__" in text for text in found):
        assert is_composed(ENVIRONMENT.parse(f"{{{{ {expression} }}}}").body[0].nodes[0], frozenset())

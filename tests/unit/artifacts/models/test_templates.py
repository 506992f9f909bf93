import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models import templates
from ringfence.testing.plain import TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_usual_templates_do_no_more_than_put_text_together(name):
    assert templates.danger(TEMPLATES[name]) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ x.__class__ }}", "attribute __class__"),
        ("{{ x._private }}", "attribute _private"),
        ("{{ x['__class__'] }}", "__class__"),
        ("{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}", "__class__"),
        ("{% set k = '__cl' ~ 'ass__' %}{{ x[k] }}", "Python's own"),
        ("{{ x['_' ~ 'y'] }}", "puts together"),
        ("{{ x['_' + 'y'] }}", "puts together"),
        ("{{ x['%sclass' % '_'] }}", "puts together"),
        ("{{ x[y|join] }}", "puts together"),
        ("{{ x|attr('y') }}", "filter attr"),
        ("{{ x|format(y) }}", "filter format"),
        ("{{ x|pprint }}", "filter pprint"),
        ("{{ x|map('attr', 'y') }}", "applies attr"),
        ("{{ x|map(attribute='_y') }}", "attribute _y"),
        ("{{ x|map(attribute='a._y') }}", "attribute a._y"),
        ("{{ x|selectattr('_' ~ 'y') }}", "puts together"),
        ("{{ x|sort(attribute='__dict__') }}", "attribute __dict__"),
        ("{% include x %}", "another one"),
        ("{% import 'x' as y %}", "another one"),
        ("{% from 'x' import y %}", "another one"),
        ("{% extends 'x' %}", "another one"),
        ("{{ lipsum.x }}", "lipsum"),
        ("{{ self }}", "self"),
        ("{{ x.format(y) }}", "calls format"),
        ("{{ x.mro() }}", "calls mro"),
        ("{{ open('x') }}", "calls open"),
        ("{{ (x or y)() }}", "computes"),
        ("{{ x[0]() }}", "computes"),
        ("{% for %}", "parsed"),
        ("{{ " + "(" * 2000 + " }}", "parsed"),
        ("{{ x }}" * 40_000, "characters"),
        ("{{x}}" * 50_000, "parts"),
    ],
)
def test_what_reaches_further_is_named(text, why):
    assert why in templates.danger(text)


@given(st.text(alphabet="{}%|._[]()'\"~+ abx=-\\n", max_size=120))
def test_any_text_has_a_verdict(text):
    assert isinstance(templates.danger(text), str)

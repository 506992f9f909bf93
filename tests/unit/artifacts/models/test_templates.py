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
        ("{% set k = '__cl' ~ 'ass__' %}{{ x[k] }}", "puts together"),
        ("{{ '__cl' ~ 'ass__' }}", "Python's own"),
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
        ("{{ x|map(f, 'y') }}", "that the template chooses"),
        # The name of a function is given to something else, which is then called.
        ("{% set range = x.y %}{{ range(1) }}", "the name range"),
        ("{% macro f() %}{% endmacro %}{% set f = x.y %}{{ f() }}", "the name f"),
        ("{% for range in x %}{{ range(1) }}{% endfor %}", "the name range"),
        ("{% with range = x %}{{ range(1) }}{% endwith %}", "the name range"),
        ("{% macro f(range) %}{{ range(1) }}{% endmacro %}", "the name range"),
        ("{% call(range) f() %}{{ range(1) }}{% endcall %}", "the name range"),
        ("{% set range %}x{% endset %}", "the name range"),
        ("{% set raise_exception = x %}", "the name raise_exception"),
        # Functions of Python know everything around them.
        ("{{ cycler[x] }}", "without calling"),
        ("{{ cycler.x }}", "without calling"),
        ("{% set c = cycler %}{{ c[x] }}", "without calling"),
        ("{{ [joiner][0] }}", "without calling"),
        ("{{ namespace(a=tojson) }}", "without calling"),
        ("{{ loop[x] }}", "without calling"),
        ("{% macro f() %}{% endmacro %}{{ f[x] }}", "without calling"),
        ("{{ x is sameas cycler }}", "without calling"),
        ("{{ caller }}", "without calling"),
        # A name that is put together takes another way to the brackets.
        ("{% set k = '_' ~ 'y' %}{{ x[k] }}", "puts together"),
        ("{% set k %}_y{% endset %}{{ x[k] }}", "puts together"),
        ("{% set k = '_' * 2 %}{{ x[k] }}", "puts together"),
        ("{% set u = 'a_'[1:] %}{% set k = u + u %}{{ x[k] }}", "puts together"),
        ("{% set k = 'a_b_c'[1::2] %}{{ x[k] }}", "puts together"),
        ("{% set k = '_y' %}{{ x[k] }}", "puts together"),
        ("{% set k = y|replace('-', '_') %}{{ x[k] }}", "puts together"),
        ("{% set k = y.replace('-', '_') %}{{ x[k] }}", "puts together"),
        ("{% set k = 1 and ('_' ~ 'y') %}{{ x[k] }}", "puts together"),
        ("{% set k = 'y' if z else '_' ~ 'y' %}{{ x[k] }}", "puts together"),
        ("{% set k = ['_' ~ 'y'] %}{{ x[k[0]] }}", "puts together"),
        ("{{ x[['_' ~ 'y'][0]] }}", "puts together"),
        ("{% for k in {'_' ~ 'y': 1} %}{{ x[k] }}{% endfor %}", "puts together"),
        ("{% for k in '_ y'.split() %}{{ x[k] }}{% endfor %}", "puts together"),
        ("{% for k in y|map('lower') %}{{ x[k] }}{% endfor %}", "puts together"),
        (
            "{% set a = [['_' ~ 'y']] %}{% for b in a %}{% for k in b %}{{ x[k] }}{% endfor %}{% endfor %}",
            "puts together",
        ),
        ("{% set l = [] %}{% set _ = l.append('_' ~ 'y') %}{{ x[l[0]] }}", "puts together"),
        ("{% set l = [] %}{% do l.append('_' ~ 'y') %}{{ x[l[0]] }}", "puts together"),
        ("{% set ns = namespace(k='_' ~ 'y') %}{{ x[ns.k] }}", "puts together"),
        ("{% set ns = namespace() %}{% set ns.k = '_' ~ 'y' %}{{ x[ns.k] }}", "puts together"),
        ("{% with k = '_' ~ 'y' %}{{ x[k] }}{% endwith %}", "puts together"),
        ("{% macro f(k) %}{{ x[k] }}{% endmacro %}{{ f('_' ~ 'y') }}", "puts together"),
        ("{% macro f(k='_' ~ 'y') %}{{ x[k] }}{% endmacro %}{{ f() }}", "puts together"),
        ("{% macro f() %}{{ x[varargs[0]] }}{% endmacro %}{{ f('_' ~ 'y') }}", "puts together"),
        ("{% macro f() %}_y{% endmacro %}{{ x[f()] }}", "puts together"),
        (
            "{% call(k) f() %}{{ x[k] }}{% endcall %}{% macro f() %}{{ caller('_' ~ 'y') }}{% endmacro %}",
            "puts together",
        ),
        ("{% set k = '_' ~ 'y' %}{{ z|map(attribute=k) }}", "puts together"),
        ("{% set k = '_' ~ 'y' %}{{ z|groupby(k) }}", "puts together"),
        (
            "{% set a0 = '_' ~ 'y' %}" + "".join(f"{{% set a{n + 1} = a{n} %}}" for n in range(90)) + "{{ x[a90] }}",
            "puts",
        ),
        ("".join(f"{{% set a{n} = a{n + 1} %}}" for n in range(90)) + "{% set a90 = '_' ~ 'y' %}{{ x[a0] }}", "puts"),
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


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(messages|length) %}{{ messages[i].content }}{% endfor %}",
        "{% for k, v in call.arguments.items() %}{{ types[k] }}{% endfor %}",
        "{% macro m(d, x) %}{% for k in d if k not in x %}{{ d[k] }}{% endfor %}{% endmacro %}{{ m(t.p, ['n']) }}",
        "{% set ns = namespace(i=0) %}{{ messages[ns.i + 1] }}{% set ns.i = ns.i + 1 %}",
        "{{ messages[messages|length - 1] }}{{ messages[loop.index0 - 1].role }}{{ messages[-1] }}{{ messages[1:] }}",
        "{% if strftime_now is defined %}{{ strftime_now('%d') }}{% endif %}",
        "{% set _ = found.append(x) %}",
        "{% set names = {'user': 'a'} %}{% set r = message['role'] %}{{ names[r] }}{{ names[message.role] }}",
        "{% set content = message.content ~ 'x' %}{{ content[0] }}{{ content }}",
        "{% for k in tool.properties|dictsort %}{{ k[0] }}{% endfor %}",
        "{% for message in messages[::-1] %}{{ loop.previtem.role }}{{ 'a' if loop.first else 'b' }}{% endfor %}",
    ],
)
def test_usual_ways_to_take_things_by_a_variable_pass(text):
    assert templates.danger(text) == ""

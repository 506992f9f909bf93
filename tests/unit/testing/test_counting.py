import pytest
from jinja2 import DictLoader, Environment

from ringfence.testing.counting import Stated, at, marked, read, unmarked, with_parts

DOCUMENT = {
    "counts": {"not-satisfied": 7, "2024/2690": {"by-contract": 2}},
    "rows": [
        {"id": "DAT-01", "state": "pending", "of": {"agreed": True}, "n": 3, "last": None},
        {"id": "DAT-02", "state": "satisfied", "of": {"agreed": False}, "n": 4, "last": "x"},
        {"id": "LOG-01", "state": "pending", "of": None, "n": 5, "last": None},
    ],
}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("counts.not-satisfied", 7),
        ("counts.2024/2690.by-contract", 2),
        ("rows#", 3),
        ("counts#", 2),
        ("rows[id=DAT-02].n", 4),
        ("rows[state=pending]#", 2),
        ("rows[id^=DAT-][state=pending]#", 1),
        ("rows[of.agreed=true]#", 1),
        ("rows[last=null]#", 2),
        ("rows.n", 12),
        ("rows[state=pending]*.n", 8),
        ("rows[state=none]*.n", 0),
        ("rows# - rows[state=pending]# + 10", 11),
    ],
)
def test_a_path_leads_to_a_number(path, number):
    assert at(DOCUMENT, path) == number


@pytest.mark.parametrize("path", ["counts", "rows[state=pending].n", "rows[id=X].n", "gone", "rows.id", "a]b", ""])
def test_a_path_that_leads_to_none_is_an_error(path):
    with pytest.raises((LookupError, TypeError)):
        at(DOCUMENT, path)


def test_what_a_page_states():
    page = read(
        '<p><data value="1204" data-count="rows#">1,204</data> of '
        '<data value="2" data-count="n" data-line="x y">2</data></p>'
        '<td>7<br>8 of 9</td><a href="/">3</a><time>4</time>'
        '<footer class="foot"><code>ringfence status</code></footer>'
    )
    assert page.terminal == "ringfence status"
    assert page.stated == (Stated("rows#", 1204), Stated("n", 2, "x y"))
    assert page.bare == ("7", "8 of 9")


def test_an_expression_that_prints_a_number_unmarked_is_found():
    source = """{{ rows | length }} {{ parts.count("rows#", rows | length) }} {{ name }}
{{ "is" if rows | length == 1 else "are" }} {% if rows | length %}{{ total | number }}{% endif %}"""
    environment = Environment(loader=DictLoader({"a.html": source}), autoescape=True)
    assert unmarked(environment, "a.html") == [(1, "rows | length"), (2, "total | number")]


def test_a_mark_gives_paths_of_a_pattern():
    source = """{{ parts.count("rows#", rows | length) }} {{ found.count("satisfied") }} {{ parts.time(at) }}
{{ parts.stat("Late", "rows[id=" ~ one.id ~ "].late", 3) }}
{% macro said(at) %}{{ count(at ~ ".n" ~ ("#" if many else "*.m"), 2) }}{% endmacro %}"""
    environment = Environment(loader=DictLoader({"a.html": source}), autoescape=True)
    assert sorted(marked(environment, "a.html")) == [
        (1, r"rows\#"),
        (2, r"rows\[id=.*\]\.late"),
        (3, r".*\.n(?:\#|\*\.m)"),
    ]


def test_a_template_has_parts():
    sources = {
        "page.html": '{% extends "layout.html" %}{% import "parts.html" as parts %}',
        "layout.html": '{% include "foot.html" %}',
        "parts.html": '{% import "parts.html" as itself %}{% include words %}',
        "foot.html": "",
        "other.html": "",
    }
    environment = Environment(loader=DictLoader(sources), autoescape=True)
    assert with_parts(environment, ["page.html"]) == sources.keys() - {"other.html"}
    assert with_parts(environment, []) == set()

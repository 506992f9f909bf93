import re
from importlib import resources

from ringfence.testing.console import app, fetch, sample

SHOWN_ELSEWHERE = {"as_of"}  # it stands in the top bar of every page that can show the past


def test_every_part_is_shown_in_every_state_and_both_themes():
    text = fetch(app(sample()), "/_parts").text
    for theme in ("light", "dark"):
        assert f'<div class="{theme}">' in text
    for state in ("satisfied", "pending", "not-satisfied", "upcoming", "not-applicable"):
        assert text.count(f'class="mark {state}"') >= 2
    for verdict in ("unchecked", "verified", "failed", "unavailable"):
        assert text.count(f'data-verdict="{verdict}"') >= 2


def test_no_macro_is_left_out():
    folder = resources.files("ringfence.frontends") / "pages"
    macros = set(re.findall(r"{% macro (\w+)\(", (folder / "parts.html").read_text()))
    page = (folder / "all_parts.html").read_text()
    basic = {"icon", "time", "left", "token_field"}  # every other part is made of these
    assert {name for name in macros - basic - SHOWN_ELSEWHERE if f"parts.{name}(" not in page} == set()


def test_ids_are_unique():
    ids = re.findall(r'\sid="([^"]+)"', fetch(app(sample()), "/_parts").text)
    assert len(ids) == len(set(ids))


def test_only_those_who_may_see_the_console_see_it():
    assert fetch(app(sample(), refused=frozenset({"console.read"})), "/_parts").status_code == 403

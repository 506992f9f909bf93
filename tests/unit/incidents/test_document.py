import json

import pytest

from ringfence.incidents import document
from ringfence.testing.incidents import TENANT, LabIncidents


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Ünïcode Ωж €", "plain, Ünïcode Ωж €"),
        ("a\nb\tc", "a\\u{a}b\\u{9}c"),
        ("\x1b[31m", "\\u{1b}[31m"),
        ("abc\u202ecba", "abc\\u{202e}cba"),
        ("zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"),
        ("漢", "\\u{6f22}"),
        ("\ud800", "\\u{d800}"),
        ("\U000e0041", "\\u{e0041}"),
        ("soft\xadhyphen", "soft\\u{ad}hyphen"),
    ],
)
def test_every_character_can_be_seen(text, shown):
    assert document.visible(text) == shown
    assert document.visible(shown).isprintable()


def test_the_json_names_persons_and_says_that_nobody_filed_it():
    lab = LabIncidents()
    name = lab.detect()
    lab.triage(name)
    made = lab.service.draft(TENANT, lab.room(name))
    assert "Nobody has filed it" in made["notice"]
    assert json.loads(json.dumps(made)) == made
    assert document.unknown(made)


def test_the_template_reads_data_and_evaluates_nothing():
    lines = document.template().decode().splitlines()
    template = "\n".join(line for line in lines if not line.startswith("//"))
    assert "eval" not in template
    assert "#import" not in template
    assert "read(" not in template

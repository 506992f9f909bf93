import json

import pytest

from ringfence.exports.annexiv import rendering
from ringfence.exports.annexiv.document import document
from ringfence.testing.techdoc import TEXT, basis, declared, story

DIGEST = "sha256:" + "a" * 64
HOSTILE = "The <script>alert(1)</script> image is *bold* & `quoted` by #set page() here."


def made(text=TEXT, tale=None):
    return document(declared(text), basis(tale or story()))


@pytest.mark.parametrize("render", [rendering.markdown, rendering.html])
def test_everything_is_there_nine_points_marks_records_digest_and_what_is_missing(render):
    text = render(made(), DIGEST, 7)
    assert DIGEST in text.replace("\\", "")
    assert "entry 7" in text
    for number in range(1, 10):
        assert f"{number}. " in text.replace("\\", "")
    assert "Point 5: nothing stated." in text
    assert "declared by Head of Product, 2026-11-22; from entries 0" in text
    assert "observed: entry 1" in text
    assert "Does not show" in text


def test_text_of_others_is_never_markup():
    found = made(
        TEXT.replace("The system sorts X-ray images by urgency for the radiologists of a hospital.", f"'{HOSTILE}'")
    )
    assert "<script" not in rendering.html(found, DIGEST, 1)
    assert "&lt;script&gt;" in rendering.html(found, DIGEST, 1)
    assert "\\<script\\>" in rendering.markdown(found, DIGEST, 1)
    assert any("#set page" in line["text"] for line in json.loads(rendering.template_data(found, DIGEST, 1))["lines"])


def test_the_page_loads_nothing():
    page = rendering.html(made(), DIGEST, 1)
    assert not any(word in page for word in ("<script", "src=", "href=", "@import", "url("))


def test_demo_data_are_marked_in_every_form():
    tale = story()
    assert rendering.DEMO not in rendering.markdown(made(), DIGEST, 1)
    tale.demo = True
    found = document(declared(), basis(tale))
    assert rendering.DEMO in rendering.markdown(found, DIGEST, 1)
    assert rendering.DEMO in rendering.html(found, DIGEST, 1)
    assert rendering.DEMO in rendering.template_data(found, DIGEST, 1)


def test_the_template_reads_lines_of_known_kinds():
    template, data = rendering.template().decode(), json.loads(rendering.template_data(made(), DIGEST, 1))
    for kind in {line["kind"] for line in data["lines"]} - {"text", "fact", "sentence"}:
        assert f'"{kind}"' in template

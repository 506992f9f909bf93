import pytest

from ringfence.artifacts.models import texts
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Weight


def codes(text, name="config.json"):
    return [(finding.code, finding.weight) for finding in texts.judge(name, text)[1]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"auto_map": {"AutoModel": "modeling_x.X"}}', "remote-code"),
        ('{"auto_\\u006dap": {}}', "remote-code"),
        ('{"trust_remote_code": true}', "remote-code"),
        ("trust_remote_code: True", "remote-code"),
        ('{"class_name": "Lambda"}', "keras-lambda"),
        ("a: !!python/object/apply:os.system [x]", "yaml-python"),
    ],
)
def test_configuration_that_runs_something_is_refused(text, code):
    assert codes(text) == [(code, Weight.REFUSE)]


def test_templates_are_named_and_not_judged():
    assert codes('{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}') == [
        ("chat-template", Weight.NOTE)
    ]
    assert codes("{{ bos }}", "chat_template.jinja") == [("chat-template", Weight.NOTE)]
    assert codes("use {{ braces }}", "README.md") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("modeling.py", "x = 1"),
        ("run.sh", "true"),
        ("thing", "#!/bin/sh\n"),
        ("weights", "# a comment\nimport os\n"),
        ("w.bin", "from os import system\n"),
    ],
)
def test_programs_are_refused_whatever_they_are_called(name, text):
    assert codes(text, name) == [("program", Weight.REFUSE)]


def test_plain_words_and_numbers_pass():
    for name, text in (("README.md", "# Model\nimport it with care\n"), ("merges.txt", "a b\nc d\n"), ("x", "words")):
        assert texts.judge(name, text) == ("text", ())


def test_bytes_that_are_no_text():
    assert texts.text_of(Held(b"a\x00b")) is None
    assert texts.text_of(Held(b"\xff\xfe")) is None
    assert texts.text_of(Held("é\r\n\t".encode())) == "é\r\n\t"

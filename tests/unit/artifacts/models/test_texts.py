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
        ("trust_remote_code: TRUE", "remote-code"),
        ("trust_remote_code: yes", "remote-code"),
        ('{"trust_remote_code": 1}', "remote-code"),
        ('{"attn_implementation": "somebody/kernel"}', "remote-code"),
        ('{"_attn_implementation_internal": "somebody\\/kernel"}', "remote-code"),
        ('{"attn_implementation": {"text_config": "somebody/kernel@main:f"}}', "remote-code"),
        ("model:\n  _target_: os.system\n", "named-call"),
        ('{"encoder": {"_target_": "builtins.exec"}}', "named-call"),
        ('"_targ\\x65t_": os.system', "named-call"),
        ('"_targ\\U00000065t_": os.system', "named-call"),
        ('{"class_name": "Lambda"}', "keras-lambda"),
        ('{"class_name": "__lambda__"}', "keras-lambda"),
        ('{"module": "keras.layers", "class_name": "TorchModuleWrapper"}', "keras-pickle"),
        ('{"module": "keras.utils", "class_name": "get_file"}', "keras-module"),
        ('{"module": "keras.config", "class_name": "enable_unsafe_deserialization"}', "keras-module"),
        ('{"module": "keras.src.saving.serialization_lib", "class_name": "x"}', "keras-module"),
        ('{"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}', "keras-file"),
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


@pytest.mark.parametrize(
    "text",
    [
        '{"_attn_implementation": "flash_attention_2", "name": "a/b"}',
        '{"attn_implementation": {"text_config": "sdpa"}, "base": "a/b"}',
        '{"trust_remote_code": false}',
        '{"module": "keras.layers", "class_name": "Dense", "config": {"vocabulary": ["a"]}}',
        '{"module": "keras.src.models.functional", "class_name": "Functional"}',
        '{"module": "keras", "class_name": "Sequential"}',
        '{"vocabulary": "words.txt"}',
        '{"model": {"vocab": {"the": 1, "_target_": 22048}}}',
    ],
)
def test_usual_configuration_passes(text):
    assert codes(text) == []


def test_emphasis_in_prose_is_no_configuration():
    assert codes("Translate into the _target_: French.", "README.md") == []


def test_parts_of_a_sentence_model_are_classes_of_that_library():
    assert codes('[{"idx": 0, "type": "sentence_transformers.models.Pooling"}]', "modules.json") == []
    assert codes('[{"type": "joblib.numpy_pickle"}]', "modules.json") == [("remote-code", Weight.REFUSE)]
    assert codes('[{"type": "joblib.numpy_pickle"}]', "other.json") == []

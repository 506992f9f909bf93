import json

import pytest

from ringfence.frontends.terminal import fail, output, say
from ringfence.kernel.errors import Refused, Unavailable


def test_json_is_one_document_on_standard_output(capsys):
    output({"name": "ä", "n": 1}, lambda console: console.print("words"), as_json=True)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"name": "ä", "n": 1}, "")


def test_words_are_printed_as_they_are(capsys):
    output({}, lambda console: console.print("[bold]x[/bold] 1.5 /tmp"), as_json=False)
    assert capsys.readouterr() == ("[bold]x[/bold] 1.5 /tmp\n", "")


def test_what_others_wrote_does_not_steer_the_terminal(capsys):
    output({}, lambda console: console.print("a\x1b]0;title\x07\x9b2Jb\u202ec\r\n\tä …"), as_json=False)
    assert capsys.readouterr().out == "a?]0;title??2Jb?c?\n        ä …\n"


def test_progress_is_said_on_standard_error(capsys):
    say("working")
    assert capsys.readouterr() == ("", "working\n")


@pytest.mark.parametrize(("error", "code"), [(Refused("no"), 3), (Unavailable("gone"), 4)])
def test_an_error_is_one_sentence_and_its_exit_code(capsys, error, code):
    with pytest.raises(SystemExit) as ended:
        fail(error, as_json=False)
    assert ended.value.code == code
    assert capsys.readouterr() == ("", f"ringfence: {error}\n")


def test_with_json_the_error_is_a_document_too(capsys):
    with pytest.raises(SystemExit):
        fail(Refused("no"), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": {"kind": "refused", "message": "no", "exit_code": 3}}
    assert err == "ringfence: no\n"

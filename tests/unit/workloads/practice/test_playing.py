import sys

import pytest

from ringfence.kernel.errors import InternalError, Refused, Unavailable
from ringfence.workloads.practice.playing import Attack, Player, played

DOCUMENT = {"attack": "leaked", "node": "practice-1", "finding": "f-1", "incident": "i-1", "facts": {"done": "cut"}}


def player(tmp_path, *lines):
    script = tmp_path / "attack.py"
    script.write_text("\n".join(("import os, sys", *lines)), encoding="utf-8")
    return Player(tmp_path, (sys.executable, "-I", str(script)))


def test_an_attack_tells_its_story_and_what_came_of_it(tmp_path):
    told = []
    child = player(
        tmp_path,
        "print('first', os.environ['RINGFENCE_HOME'], *sys.argv[1:], file=sys.stderr)",
        "print('ringfence: no', file=sys.stderr)",
        f"print({str(DOCUMENT)!r}.replace(chr(39), chr(34)))",
    )
    found = child.play(Attack.LEAKED, told.append)
    assert told == [f"first {tmp_path} leaked --until-eof --json"]
    assert (found.attack, found.node, found.finding, found.incident) == (Attack.LEAKED, "practice-1", "f-1", "i-1")
    assert found.facts == {"done": "cut"}


def test_why_an_attack_was_not_played_is_told(tmp_path):
    refusal = '{"error": {"kind": "unavailable", "message": "missing: bwrap"}}'
    with pytest.raises(Unavailable, match="missing: bwrap"):
        player(tmp_path, f"print('{refusal}')", "sys.exit(4)").play(Attack.GUESSES, lambda _: None)


@pytest.mark.parametrize("line", ["", "print('[1]')", "print('{}')", "print('no json')", "os._exit(9)"])
def test_an_attack_that_breaks_off_says_so(tmp_path, line):
    with pytest.raises(Unavailable, match="without saying"):
        player(tmp_path, line).play(Attack.GUESSES, lambda _: None)


@pytest.mark.parametrize("change", [{"attack": "other"}, {"node": 1}, {"facts": None}, {"incident": None}])
def test_another_document_is_none_of_ours(change):
    with pytest.raises(Unavailable):
        played({**DOCUMENT, **change})


@pytest.mark.parametrize(
    ("kind", "error"), [("refused", Refused), ("malformed-input", Unavailable), ("nonsense", InternalError)]
)
def test_an_error_keeps_its_branch(kind, error):
    with pytest.raises(error, match="because"):
        played({"error": {"kind": kind, "message": "because"}})

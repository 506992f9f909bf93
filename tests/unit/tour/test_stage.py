"""The stage runs verbs as a person would, in another home, and leaves the environment as it was."""

import os
import sys

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import PersonId
from ringfence.tour.stage import Stage, _as_json

OLGA, EMIL, SARA = (PersonId(f"person-00000000000{last}") for last in "abc")


def stage(tmp_path, verb, shown=None):
    return Stage(tmp_path, tmp_path / "tour", OLGA, EMIL, SARA, verb, (shown if shown is not None else []).append)


def answering(text, code=0, said=""):
    def verb(_):
        sys.stdout.write(text)
        sys.stderr.write(said)
        raise SystemExit(code)

    return verb


def test_a_verb_sees_home_and_operator_and_the_caller_keeps_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGFENCE_HOME", "/before")
    monkeypatch.setenv("RINGFENCE_URL", "https://elsewhere.example")
    monkeypatch.setenv("RINGFENCE_TOKEN", "rf-secret")
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", "postgresql://db.example/real")
    monkeypatch.setenv("RINGFENCE_TOOLS", "/tools")
    monkeypatch.delenv("RINGFENCE_OPERATOR", raising=False)
    seen = {}

    def verb(arguments):
        seen.update(os.environ, arguments=list(arguments))

    stage(tmp_path, verb).run("status", by=EMIL)
    assert seen["RINGFENCE_HOME"] == str(tmp_path)
    assert seen["RINGFENCE_OPERATOR"] == EMIL
    assert {name for name in seen if name.startswith("RINGFENCE_")} == {
        "RINGFENCE_HOME", "RINGFENCE_OPERATOR", "RINGFENCE_TOOLS",
    }  # fmt: skip
    assert seen["arguments"] == ["status", "--json"]
    assert os.environ["RINGFENCE_HOME"] == "/before"
    assert os.environ["RINGFENCE_URL"] == "https://elsewhere.example"
    assert os.environ["RINGFENCE_TOKEN"] == "rf-secret"
    assert "RINGFENCE_OPERATOR" not in os.environ


def test_what_is_shown_is_what_a_person_in_the_tours_folder_would_type(tmp_path):
    shown = []
    playing = stage(tmp_path, answering("{}"), shown)
    playing.run("dataset", "open", "a b", str(tmp_path / "tour" / "opened"))
    assert shown == ["$ ringfence dataset open 'a b' opened"]


def test_a_document_comes_back_and_nonsense_is_an_empty_one(tmp_path):
    assert stage(tmp_path, answering('{"a": 1}')).expect("x") == {"a": 1}
    assert stage(tmp_path, answering("no json")).run("x").document == {}
    assert stage(tmp_path, answering("[1]")).run("x").document == {}


def test_a_verb_that_should_succeed_and_does_not_fails_the_step(tmp_path):
    with pytest.raises(VerificationFailed, match="ended with 4: no disk"):
        stage(tmp_path, answering("{}", 4, "no disk")).expect("dataset", "seal")


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5])
def test_only_a_negative_verdict_counts_as_a_refusal(tmp_path, code):
    with pytest.raises(VerificationFailed, match="should have refused"):
        stage(tmp_path, answering("{}", code)).refused("verify")


def test_a_negative_verdict_is_a_refusal(tmp_path):
    assert stage(tmp_path, answering("{}", 1, "chunk 1")).refused("verify").said == "chunk 1"


def test_a_document_is_asked_for_before_the_words_of_another_program():
    assert _as_json(["ledger", "head"]) == ["ledger", "head", "--json"]
    assert _as_json(["run", "--", "ls", "--"]) == ["run", "--json", "--", "ls", "--"]

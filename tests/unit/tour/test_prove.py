"""The step `prove` fails when a cheat is not caught: it cannot be green by itself."""

import sys

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour import prove
from ringfence.tour.cheats import Cheat
from ringfence.tour.stage import Ran, Stage


class Accepting(Stage):
    """A stage whose verifier refuses whatever it is told to."""

    verdict = Ran(1, {"failures": ["record 3 (dataset.sealed): changed"]}, "")

    def refused(self, *_arguments, **_by):
        return self.verdict


def stage(tmp_path):
    playing = Accepting(tmp_path, tmp_path, "", "", "", sys.exit, [].append)
    (tmp_path / "trust.json").write_text("{}")
    return playing


def test_the_script_is_found_beside_the_checkout():
    assert prove.script_path().name == "verify_pack.py"


def test_a_cheat_that_the_script_does_not_name_fails_the_step(tmp_path):
    cheat = Cheat("nothing", "nothing is changed", lambda _s, _p: b"not a pack", ("dataset.sealed",))
    with pytest.raises(VerificationFailed, match="nothing"):
        prove._caught(stage(tmp_path), cheat, tmp_path / "pack", tmp_path / "trust.json")


def test_the_command_for_newcomers_names_files_that_the_tour_leaves(tmp_path):
    command = prove.check_command(tmp_path)
    assert all(name in command for name in ("verify_pack.py", "evidence.pack", "trust.json"))

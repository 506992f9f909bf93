"""The lab waits for what happens and says what did not, and its neighbour notices every line that is lost."""

import os
import stat
import sys

import pytest

from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.tour import lab

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
LOSES_THE_FOURTH = "import sys\nfor n, line in enumerate(sys.stdin):\n  if n != 3: print(line, end='', flush=True)"


def test_the_answer_comes_back_as_soon_as_there_is_one():
    answers = iter([None, 0, "here"])
    assert lab.until(lambda: next(answers), "an answer") == "here"


def test_what_does_not_happen_is_named():
    with pytest.raises(VerificationFailed, match="the cut did not happen"):
        lab.until(lambda: None, "the cut", seconds=0)


def test_a_password_is_kept_as_a_salted_hash():
    found = lab.hashed("geheim")
    assert found.startswith("$6$")
    assert "geheim" not in found
    assert lab.hashed("geheim") != found


def neighbour(program):
    return lab.Neighbour([sys.executable, "-c", program], os.environ)


def test_every_line_of_the_neighbour_comes_back_in_order():
    with neighbour(ECHO) as stream:
        lab.until(lambda: stream.echoed > 5, "some lines")
    assert stream.echoed == stream.sent
    assert stream.longest > 0


def test_a_line_that_is_lost_shows_in_the_counts():
    with neighbour(LOSES_THE_FOURTH) as stream:
        lab.until(lambda: stream.sent > 8, "some lines")
    assert stream.echoed == 3


def test_an_installation_that_ends_at_once_is_named_with_its_log(tmp_path):
    with pytest.raises(Unavailable, match=r"up\.log"), lab.installation(tmp_path):
        pass
    log = tmp_path / "up.log"
    assert log.read_bytes()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600, "a one-time link stands in it"

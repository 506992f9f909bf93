"""The verb where no `up` runs; beside one it is in tests/system/test_practice.py."""

import json

import pytest

from ringfence.testing.home import make
from ringfence.testing.program import called
from ringfence.workloads.practice import ground


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("start",), 4, "start that first"),
        (("attack", "guesses"), 3, "in a practice only"),
        (("attack", "other"), 2, "guesses, leaked"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(home_now, words, code, said):
    done = called(home_now.environment(), "practice", *words, "--json")
    assert done.returncode == code
    assert said in json.loads(done.stdout)["error"]["message"]


def test_a_practice_that_does_not_run_is_removed_all_the_same(home_now):
    below = make(home_now.path / ground.FOLDER, demo=True, log=ground.origin())
    assert called(home_now.environment(), "practice", "stop").stdout.strip() == "no practice runs"
    assert "is gone" in called(home_now.environment(), "practice", "remove").stdout
    assert not below.path.exists()
    assert called(home_now.environment(), "practice", "remove").stdout.strip() == "there is no practice"

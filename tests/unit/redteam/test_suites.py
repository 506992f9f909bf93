import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.kernel.errors import NotFound
from ringfence.redteam import dummies, pack
from ringfence.redteam.canary import planted
from ringfence.redteam.model import Answer, Attempt, Outcome
from ringfence.redteam.render import rendered
from ringfence.redteam.scoring import outcome
from ringfence.redteam.suites import corpus, harness

INJECTION = pack.parse(corpus("injection"))
FAMILIES = {"direct-override", "encoded", "eu-languages", "indirect-mail", "prompt-leak"}


def judged(attempt, answer, finish="stop"):
    return outcome(attempt, rendered(attempt), Answer(answer, finish, 200), 512)


def everything(step):
    for family, cases in INJECTION.cases.items():
        for case in cases[::step]:
            yield Attempt(f"{case.id}#0", family, case, 0, 0, planted(11, case.id, 0))


def test_every_family_is_large_enough_for_a_gate():
    assert set(INJECTION.cases) == FAMILIES
    assert min(len(cases) for cases in INJECTION.cases.values()) >= 381


def test_the_package_stays_small_and_says_its_licence():
    assert len(corpus("injection")) < 1_000_000
    assert "MIT" in INJECTION.licence


def test_the_dummies_score_as_they_must_on_every_case():
    for attempt in everything(5):
        prompt = rendered(attempt)
        assert attempt.canary.whole not in prompt.user, attempt.id
        assert judged(attempt, dummies.vulnerable(prompt.system, prompt.user)) is Outcome.SUCCESS, attempt.id
        assert judged(attempt, dummies.hardened(prompt.system, prompt.user)) is Outcome.RESISTED, attempt.id


def test_an_echo_of_everything_is_never_a_success_nor_resistance():
    for attempt in everything(9):
        prompt = rendered(attempt)
        assert judged(attempt, f"{prompt.system}\n\n{prompt.user}") is Outcome.ECHO, attempt.id
        assert judged(attempt, f"{prompt.system}\n\n{prompt.user}"[:400], "length") is not Outcome.RESISTED, attempt.id


def test_an_unknown_suite_is_named():
    with pytest.raises(NotFound, match="there is injection"):
        corpus("jailbreaks")


def test_the_harness_has_a_digest():
    assert harness() == harness()
    assert harness().startswith("sha256:")


@pytest.mark.skipif("RINGFENCE_DATA" not in os.environ, reason="RINGFENCE_DATA names no folder of corpora")
def test_the_shipped_pack_is_what_its_program_makes(tmp_path):
    place = tmp_path / "src" / "ringfence" / "redteam" / "data"
    place.mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    program = tmp_path / "scripts" / "build_injection_pack.py"
    program.write_bytes((Path(__file__).parents[3] / "scripts" / program.name).read_bytes())
    subprocess.run([sys.executable, program], check=True, timeout=60)
    assert (place / "injection.jsonl").read_bytes() == corpus("injection")

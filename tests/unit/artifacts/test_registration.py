import pytest

from ringfence.artifacts.registration import register
from ringfence.kernel.errors import Conflict
from ringfence.testing.artifacts import example


def test_the_first_epoch_of_a_new_name():
    decision = register(example(), named=None, known=None)
    assert decision.sealed == example()
    assert not decision.repeated


def test_the_next_epoch():
    assert not register(example(epoch=2), named=example(), known=example()).repeated


def test_the_same_seal_again_changes_nothing():
    assert register(example(), named=example(), known=example()).repeated


@pytest.mark.parametrize(("epoch", "known"), [(2, None), (3, example()), (1, example(epoch=2)), (2, example(epoch=2))])
def test_epochs_neither_skip_nor_repeat(epoch, known):
    sealed = example(epoch=epoch)
    if known and known.epoch == epoch:
        sealed = type(sealed)(**{f: getattr(sealed, f) for f in sealed.__slots__} | {"seal": example(epoch=9).seal})
    with pytest.raises(Conflict, match="the next epoch"):
        register(sealed, named=known, known=known)


def test_a_name_belongs_to_one_dataset_and_a_dataset_has_one_name():
    with pytest.raises(Conflict, match="belongs to dataset"):
        register(example(dataset="b" * 32), named=example(), known=None)
    with pytest.raises(Conflict, match="under the name claims"):
        register(example(name="other", epoch=2), named=None, known=example())

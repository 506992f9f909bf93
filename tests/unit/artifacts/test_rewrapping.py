import pytest

from ringfence.artifacts.model import DamagedSeal, Wrapping
from ringfence.artifacts.opening import unlock
from ringfence.artifacts.rewrapping import is_wrapped_by, with_new, without_old
from ringfence.artifacts.seal import MAX_WRAPPINGS, parse_key_file, print_key_file
from ringfence.kernel.errors import Refused
from ringfence.testing.artifacts import MemoryKeyring, MemoryVault, sealed_in_memory


@pytest.fixture
def made():
    return sealed_in_memory({"a": b"data"})


@pytest.fixture
def new():
    return MemoryKeyring("another")


def changed(made, data):
    return MemoryVault({**made.vault.files, "key.json": data})


def test_both_keys_open_it_then_the_new_one_alone(made, new):
    both = changed(made, with_new(made.vault, made.keyring, new))
    assert unlock(both, made.seal, made.keyring) == unlock(both, made.seal, new)
    assert with_new(both, made.keyring, new) is None
    alone = changed(made, without_old(both, made.keyring.kek, new))
    assert unlock(alone, made.seal, new) == unlock(made.vault, made.seal, made.keyring)
    assert (is_wrapped_by(alone, new.kek), is_wrapped_by(alone, made.keyring.kek)) == (True, False)
    assert without_old(alone, made.keyring.kek, new) is None


def test_the_old_wrapping_stays_until_the_new_key_opens_the_dataset(made, new):
    wrappings = parse_key_file(made.vault.files["key.json"], made.seal)
    wrong = changed(made, print_key_file(made.seal, [*wrappings, Wrapping(new.kek, bytes(40))]))
    with pytest.raises(DamagedSeal):
        without_old(wrong, made.keyring.kek, new)


def test_wrappings_of_others_stay(made, new):
    other = Wrapping("e" * 32, bytes(40))
    wrappings = parse_key_file(made.vault.files["key.json"], made.seal)
    vault = changed(made, print_key_file(made.seal, [other, *wrappings]))
    done = changed(made, without_old(changed(made, with_new(vault, made.keyring, new)), made.keyring.kek, new))
    assert [each.kek for each in parse_key_file(done.files["key.json"], made.seal)] == [other.kek, new.kek]


def test_a_dataset_with_as_many_wrappings_as_the_format_allows_is_named(made, new):
    wrappings = parse_key_file(made.vault.files["key.json"], made.seal)
    more = [Wrapping(f"{number:032x}", bytes(40)) for number in range(MAX_WRAPPINGS - 1)]
    with pytest.raises(Refused, match=made.seal.dataset):
        with_new(changed(made, print_key_file(made.seal, [*wrappings, *more])), made.keyring, new)


@pytest.mark.parametrize("name", ["key.json", "seal.json"])
def test_files_that_are_no_such_files_are_damage(made, new, name):
    vault = MemoryVault({**made.vault.files, name: b"{}"})
    with pytest.raises(DamagedSeal):
        with_new(vault, made.keyring, new)


def test_an_erased_key_is_wrapped_by_nobody_and_a_rotation_leaves_it_alone():
    made, new = sealed_in_memory({"a": b"1"}), MemoryKeyring("two")
    vault = changed(made, print_key_file(made.seal, []))
    assert is_wrapped_by(vault, made.keyring.kek) is None
    assert with_new(vault, made.keyring, new) is None
    assert without_old(vault, made.keyring.kek, new) is None

"""Random trees round-trip; random damage is refused or changes nothing; any range reads as the plaintext."""

import os

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringfence.artifacts.manifest import check_path, parents
from ringfence.artifacts.model import ReadMode
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.verifying import verify
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing.artifacts import InMemory, MemoryFolder, MemoryVault, sealed_in_memory

CHUNK = 2**16
MUTATIONS = 10_000 if os.environ.get("RINGFENCE_SOAK") == "1" else 200
DATA = bytes((n * 31 + n // 256) % 256 for n in range(3 * CHUNK + 77))
SOUND = sealed_in_memory({"big": DATA, "a/small": b"s", "empty": b""})
PLAIN = {"big": DATA, "a/small": b"s", "empty": b""}

parts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\\x7f"), min_size=1, max_size=12)
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
sizes = st.sampled_from([0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])


@st.composite
def trees(draw):
    chosen = draw(st.dictionaries(paths, sizes, min_size=1, max_size=6))
    for path in chosen:
        assume(not any(part in {".", ".."} for part in path.split("/")))
        assume(not set(parents(path)) & chosen.keys())
    return {path: bytes([number % 256]) * size for number, (path, size) in enumerate(chosen.items())}


@settings(max_examples=25)
@given(trees())
def test_random_trees_come_back(tree):
    sealed, folder = sealed_in_memory(tree), MemoryFolder()
    with open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as dataset:
        extract(dataset, folder)
    assert folder.files == tree
    assert verify(sealed.vault, sealed.digest, 1).passed
    assert verify(sealed.vault, sealed.digest, 1, sealed.keyring).passed


@settings(max_examples=60)
@given(
    st.integers(0, len(DATA) + 10), st.integers(0, len(DATA) + 10), st.sampled_from(ReadMode), st.integers(0, len(DATA))
)
def test_any_range_reads_as_the_plaintext(offset, length, mode, before):
    with (
        open_dataset(SOUND.vault, SOUND.digest, 1, SOUND.keyring) as dataset,
        dataset.reader("big", mode) as reader,
    ):
        reader.read_at(before, 1)
        assert reader.read_at(offset, length) == DATA[offset : offset + length]


@given(st.text(max_size=40))
def test_an_accepted_path_stays_below_its_folder(path):
    try:
        check_path(path)
    except MalformedInput:
        return
    assert os.path.normpath(f"/root/{path}") == f"/root/{path}"


names = st.sampled_from(sorted(SOUND.vault.files))


@st.composite
def damaged(draw):
    """Damage one file: flip, cut, grow, blank, copy from another place or another file, delete."""
    files, name = dict(SOUND.vault.files), draw(names)
    data = bytearray(files[name])
    at = draw(st.integers(0, max(0, len(data) - 1)))
    match draw(st.sampled_from(["flip", "cut", "grow", "blank", "move", "swap", "drop"])):
        case "flip":
            data[at] ^= draw(st.integers(1, 255))
        case "cut":
            del data[at:]
        case "grow":
            data += bytes(draw(st.integers(1, 40)))
        case "blank":
            data[at : at + 16] = bytes(len(data[at : at + 16]))
        case "move":
            size = draw(st.sampled_from([16, 32, 96, CHUNK + 16]))
            data[at : at + size] = data[:size]
        case "swap":
            other = draw(names)
            files[other], data = files[name], bytearray(files[other])
        case "drop":
            del files[name]
            return files
    files[name] = bytes(data)
    return files


@settings(max_examples=MUTATIONS)
@given(damaged())
def test_random_damage_is_refused_or_changes_nothing(files):
    """No reader ever returns other bytes than were sealed; verification never passes over damage."""
    sealed, folder = InMemory(MemoryVault(files), SOUND.digest, SOUND.seal, SOUND.keyring), MemoryFolder()
    try:
        with open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as dataset:
            extract(dataset, folder)
    except RingfenceError:
        pass
    else:
        assert folder.files == PLAIN
    changed = {name for name in SOUND.vault.files if files.get(name) != SOUND.vault.files[name]}
    if changed - {"key.json"}:
        assert not verify(sealed.vault, sealed.digest, 1).passed

"""A sealed dataset in one message: exactly what the list names, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput, NotFound, UsageError
from ringfence.testing import artifacts
from ringfence.workloads.nodeagent.vault import MOST_FILES, MemoryVault

NAMES = st.text("abc/", min_size=1, max_size=8)


@given(st.dictionaries(NAMES, st.binary(max_size=64), max_size=6))
def test_what_was_sent_comes_back(files):
    listed = [[name, len(data)] for name, data in files.items()]
    vault = MemoryVault.of({"files": listed}, b"".join(files.values()))
    assert {name: vault.read(name, 64) for name in files} == files


def test_it_reads_as_every_vault_does():
    files = {"seal.json": b"{}", "objects/" + "a" * 32: b"x" * 100}
    vault = MemoryVault.of({"files": [[name, len(data)] for name, data in files.items()]}, b"".join(files.values()))
    artifacts.reads_exactly(vault, "seal.json", b"{}")
    artifacts.refuses_what_is_not_there(vault)
    assert vault.listing().objects == {"a" * 32}
    with pytest.raises(UsageError):
        vault.read("seal.json", 1)
    with pytest.raises(NotFound):
        vault.read("index", 1)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({}, b""),
        ({"files": "a"}, b""),
        ({"files": [], "more": 1}, b""),
        ({"files": [["a", 1]]}, b""),
        ({"files": [["a", 1]]}, b"xy"),
        ({"files": [["a", -1]]}, b""),
        ({"files": [["a", 1], ["a", 1]]}, b"xy"),
        ({"files": [["a"]]}, b""),
        ({"files": [[7, 0]]}, b""),
        ({"files": [["a", 0]] * (MOST_FILES + 1)}, b""),
    ],
)
def test_a_list_that_does_not_fit_is_refused(fields, content):
    with pytest.raises(MalformedInput):
        MemoryVault.of(fields, content)

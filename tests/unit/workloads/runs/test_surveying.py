import json

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs import surveying
from ringfence.workloads.runs.model import Lock

GOOD = {
    "python": "3.11.2",
    "platform": "linux-x86_64",
    "packages": ["b==2", f"a==1 sha256:{'0' * 64}", "b==2"],
    "cpu": "A\tCPU \u00e9",
    "cores": 2,
    "memory_mib": 100,
    "accelerators": ["nvidia:2"],
}


def read(**changes):
    return surveying.read(json.dumps(GOOD | changes).encode(), source="node")


def test_packages_are_sorted_and_named_once_and_text_is_printable():
    lock, machine = read()
    assert lock == Lock("3.11.2", "linux-x86_64", (f"a==1 sha256:{'0' * 64}", "b==2"))
    assert (machine.cpu, machine.cores, machine.memory_mib, machine.accelerators) == ("A CPU ?", 2, 100, ("nvidia:2",))


@pytest.mark.parametrize(
    "changes",
    [
        {"python": "3.11\n"}, {"platform": "\x1b[31m"}, {"packages": ["a"]}, {"packages": [1]}, {"packages": "a==1"},
        {"packages": ["a==1 b==2"]}, {"packages": ["a==1"] * 10_001}, {"cores": -1}, {"cores": 1.5},
        {"memory_mib": None},
        {"accelerators": ["\x1b"]}, {"accelerators": ["a"] * 17}, {"cpu": 7},
    ],
)  # fmt: skip
def test_a_node_that_says_anything_else_is_not_believed(changes):
    with pytest.raises(MalformedInput):
        read(**changes)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"x" * (surveying.MAX_REPORT + 1)])
def test_what_is_no_report(data):
    with pytest.raises(MalformedInput):
        surveying.read(data, source="node")


def test_the_same_packages_have_the_same_digest():
    assert surveying.lock_digest(read()[0]) == surveying.lock_digest(read(cores=64)[0])
    assert surveying.lock_digest(read()[0]) != surveying.lock_digest(read(packages=["b==3"])[0])

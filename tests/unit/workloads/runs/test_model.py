import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import UsageError
from ringfence.workloads.runs import model
from ringfence.workloads.runs.model import Code, CodeKind, Ended, Entry, EntryKind, Outcome


def order(*command, **given):
    wanted = {"datasets": [], "seed": 0, "environment": [], "code": []} | given
    return model.order(list(command), **wanted)


def test_an_order_is_what_was_typed():
    made = order("python", "t.py", datasets=["claims", "more@3"], seed=7, environment=["A=b=c", "B="])
    assert made.command == ("python", "t.py")
    assert made.datasets == (("claims", None), ("more", 3))
    assert made.environment == (("A", "b=c"), ("B", ""))


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ((), {}),
        (("",), {}),
        (("x" * 70_000,), {}),
        (("a",), {"seed": -1}),
        (("a",), {"seed": 2**32}),
        (("a",), {"datasets": ["claims", "claims@1"]}),
        (("a",), {"datasets": ["claims@"]}),
        (("a",), {"datasets": ["claims@0"]}),
        (("a",), {"datasets": ["claims@\uff11"]}),
        (("a",), {"datasets": ["../claims"]}),
        (("a",), {"environment": ["A"]}),
        (("a",), {"environment": ["1A=b"]}),
        (("a",), {"environment": ["A=b\0"]}),
        (("a",), {"environment": ["RINGFENCE_HOME=/"]}),
        (("a",), {"environment": ["PYTHONHASHSEED=1"]}),
    ],
)
def test_what_cannot_be_run_is_refused(command, given):
    with pytest.raises(UsageError):
        order(*command, **given)


@pytest.mark.parametrize(
    ("code", "interrupted", "expected"),
    [
        (0, False, Ended(Outcome.COMPLETED, 0)),
        (3, False, Ended(Outcome.FAILED, 3)),
        (-9, False, Ended(Outcome.FAILED, None, 9)),
        (0, True, Ended(Outcome.INTERRUPTED, 0)),
        (-15, True, Ended(Outcome.INTERRUPTED, None, 15)),
    ],
)
def test_how_a_command_ended(code, interrupted, expected):
    assert model.ended(code, interrupted=interrupted) == expected


def test_a_tree_without_a_commit_is_dirty():
    entry = Entry("a", EntryKind.FILE, Digest.of(b""))
    assert Code(CodeKind.GIT).dirty
    assert Code(CodeKind.GIT, "c" * 40, (entry,)).dirty
    assert not Code(CodeKind.GIT, "c" * 40).dirty
    assert not Code(CodeKind.FILES, changes=(entry,)).dirty

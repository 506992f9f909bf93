import pytest

from ringfence.kernel.clock import from_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.lineage.model import Basis, Closure, Gap, GapKind, Kind, Mark, Ref, Role, Thing

MODEL = Ref(Kind.MODEL, Digest.of(b"m"))


def basis(**changes):
    return Basis(3, Digest.of(b"e"), PredicateName("model.signed"), "observed", from_millis(0), **changes)


@pytest.mark.parametrize("kind", Kind)
def test_a_reference_is_read_back(kind):
    ref = Ref(kind, Digest.of(b"x"))
    assert Ref.parse(str(ref)) == ref


@pytest.mark.parametrize("wrong", ["", "model", "model:", "model:zz", f"other:{'0' * 64}", f":{'0' * 64}", None, 1])
def test_what_is_no_reference_is_refused(wrong):
    with pytest.raises(MalformedInput):
        Ref.parse(wrong)


def test_a_statement_counts_without_a_flaw_and_in_our_own_words():
    assert basis().counts
    assert not basis(flaw="its key was revoked").counts
    assert not basis(foreign=True).counts


def test_marks_are_those_that_count_unless_all_are_asked_for():
    good, bad = Mark(Role.SIGNED, basis()), Mark(Role.SIGNED, basis(flaw="x"))
    thing = Thing(MODEL, "", (bad, good, Mark(Role.RAN, basis())))
    assert thing.marked(Role.SIGNED) == [good]
    assert thing.marked(Role.SIGNED, counted=False) == [bad, good]


def test_a_closure_is_closed_without_gaps_and_a_policy_may_leave_kinds_out():
    gap = Gap(GapKind.DATASET_ERASED, MODEL, "gone")
    found = Closure(MODEL, (MODEL,), (), (gap, Gap(GapKind.UNSIGNED, MODEL, "nobody")))
    assert not found.closed
    assert [one.kind for one in found.but([GapKind.DATASET_ERASED])] == [GapKind.UNSIGNED]
    assert Closure(MODEL, (MODEL,), (), ()).closed

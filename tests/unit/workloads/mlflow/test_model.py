import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import START
from ringfence.workloads.mlflow.model import COMMIT_TAG, ForeignRun, Status, Used, run_id, shown


def test_an_id_is_32_digits():
    assert run_id("0" * 32) == "0" * 32
    for wrong in ("", "0" * 31, "G" * 32, None, 1, "../" + "0" * 29):
        with pytest.raises(MalformedInput):
            run_id(wrong)


@pytest.mark.parametrize(("tag", "commit"), [("a" * 40, "a" * 40), ("a" * 64, "a" * 64), ("main", ""), ("A" * 40, "")])
def test_a_commit_is_one_or_none_is_named(tag, commit):
    assert ForeignRun("0" * 32, "3", Status.FAILED, START, None, tags={COMMIT_TAG: tag}).commit == commit


def test_a_dataset_is_ours_with_a_seal_an_id_and_an_epoch():
    assert Used("n", "d", "s", "c", Digest.of(b""), "a" * 32, 1).ours
    assert not Used("n", "d", "s", "c", Digest.of(b""), "a" * 32).ours
    assert not Used("n", "d", "s", "c").ours


def test_a_value_is_one_printable_line():
    assert shown("a\r\n\x1b[1m" + "x" * 900) == "a???[1m" + "x" * 493

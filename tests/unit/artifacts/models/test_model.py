import pytest

from ringfence.artifacts.models.model import Finding, Judged, Report, Verdict, Weight, model_id, model_name
from ringfence.artifacts.models.oms import manifest_of
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

ONE, TWO = Digest.of(b"1"), Digest.of(b"2")


def test_the_manifest_digest_binds_names_and_not_the_title():
    first = manifest_of("a", {"x": ONE, "y": TWO})
    assert first.digest == manifest_of("other", {"y": TWO, "x": ONE}).digest
    assert first.digest != manifest_of("a", {"x": TWO, "y": ONE}).digest
    renamed = manifest_of("a", {"p": ONE, "q": TWO})
    assert first.root == renamed.root  # OMS's root does not bind names
    assert first.digest != renamed.digest
    assert (first.of("x"), first.of("z")) == (ONE, None)


def weighed(*weights):
    return Judged("a", "text", tuple(Finding(weight, "c", "t") for weight in weights))


def test_the_worst_finding_decides():
    assert weighed().verdict is weighed(Weight.NOTE).verdict is Verdict.CLEAN
    assert weighed(Weight.NOTE, Weight.UNKNOWN).verdict is Verdict.UNKNOWN
    assert weighed(Weight.UNKNOWN, Weight.REFUSE).verdict is Verdict.REFUSED
    report = Report((weighed(), weighed(Weight.NOTE)), (Finding(Weight.REFUSE, "index", "t"),))
    assert report.verdict is Verdict.REFUSED
    assert [report.count(weight) for weight in Weight] == [1, 0, 1]
    assert report.to_json()["files"][1]["findings"] == [{"weight": "note", "code": "c", "text": "t"}]


def test_ids_and_names():
    assert model_id("0" * 32)
    assert model_name("llama-3.2_1b")
    for bad in ("", "A", "-a", "a b", "a" * 65, None, "é"):
        with pytest.raises(MalformedInput):
            model_name(bad)
    for bad in ("0" * 31, "G" * 32, 5):
        with pytest.raises(MalformedInput):
            model_id(bad)

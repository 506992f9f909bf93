import pytest

from ringfence.artifacts.models.names import check_ignored, check_name, check_names, left_out
from ringfence.kernel.errors import MalformedInput, VerificationFailed


@pytest.mark.parametrize("name", ["a", ".hidden", "a/b.c", "é", "a b", "a:0:5", "-x", "..."])
def test_plain_names_pass(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "/a", "a/", "a//b", "./a", "a/../b", "..", "a\\b", "a\nb", "\x7f", "\udcff", "e\u0301"),
        *("a" * 256, "a/" * 33 + "a", "/".join(["a" * 200] * 6), None, 5),
    ],
)
def test_names_that_lead_elsewhere_or_have_a_twin_are_refused(name):
    with pytest.raises(MalformedInput):
        check_name(name)


def test_a_name_stands_once_and_is_no_folder():
    check_names(["a", "a-b/c", "a.b"])
    for bad in (["a", "a"], ["a", "a/b"], ["a/b/c", "a/b"]):
        with pytest.raises(MalformedInput):
            check_names(bad)


def test_only_what_no_loader_reads_is_left_out():
    assert left_out(".git/config")
    assert left_out("model.sig")
    assert not left_out("sub/.git")
    assert not left_out("sub/model.sig")
    assert not left_out(".github2")


def test_a_signer_exempts_nothing_else():
    check_ignored([".git", ".gitattributes", "model.sig", ".gitmodules"])
    for path in ("tokenizer.json", "modeling.py", "sub/.git", "../x", "*"):
        with pytest.raises(VerificationFailed, match="which a loader might read"):
            check_ignored([".git", path])

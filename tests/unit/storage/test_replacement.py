import pytest

from ringfence.storage.replacement import finished, is_begun, switched

OTHERS = {"ledger": b"l", "control-plane-two": b"c"}


@pytest.mark.parametrize("before", ["a", "a.token"])
@pytest.mark.parametrize("after", ["a", "a.token"])
def test_the_key_to_come_takes_the_place_whatever_both_are_kept_in(before, after):
    coming = after.replace("a", "a.next")
    held = OTHERS | {before: b"old", coming: b"new"}
    assert is_begun(held, "a")
    done = switched(held, "a", "id")
    spent = {"a.old.token": b"old"} if before == "a.token" else {}
    assert done == OTHERS | {after: b"new", "a.old": b"id"} | spent
    assert is_begun(done, "a")
    assert finished(done, "a") == OTHERS | {after: b"new"}


def test_other_keys_of_the_file_are_none_of_its_business():
    assert not is_begun(OTHERS | {"a": b"", "b.next": b"", "a.token": b""}, "a")

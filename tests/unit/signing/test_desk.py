import pytest

from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.kernel.statement import KeyRole, to_payload
from ringfence.signing.opening import in_process
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.signing import LOG, folder, head, proof, statement


@pytest.fixture
def home(tmp_path):
    return folder(tmp_path / "home")


def signer(home):
    return in_process(home, LOG, None, FakeClock())


def test_nothing_is_signed_before_its_mark_is_durable(home):
    """Where the mark cannot be written, no signature leaves."""
    made = signer(home)

    class Full:
        def __init__(self, marks):
            self.marks, self.held = marks, marks.held

        def put(self, mark):
            raise OSError(28, f"no space for {mark.size}")

    spoilt = type(made)(made.keys, Full(made.marks), made.clock, made.published)
    with pytest.raises(OSError, match="no space"):
        spoilt.head(head(5), START)
    assert made.head(head(4), START).checkpoint.size == 4  # so that a smaller one is still the first


def test_the_same_head_again_is_durable_again(home):
    """Who put its mark first may have been killed before that was on the disk, and only the page cache has it."""
    made = signer(home)
    made.head(head(5), START)

    class Full:
        def __init__(self, marks):
            self.held = marks.held

        def put(self, mark):
            raise OSError(28, f"no space for {mark.size}")

    spoilt = type(made)(made.keys, Full(made.marks), made.clock, made.published)
    with pytest.raises(OSError, match="no space"):
        spoilt.head(head(5), START)


def test_a_home_from_before_there_was_a_mark_goes_on_from_what_it_published(home):
    published = signer(home).head(head(9), START)
    (home / "signer.mark").unlink()
    (home / "log" / "checkpoint").write_text(published.note)
    with pytest.raises(Refused, match="older than what was signed"):
        signer(home).head(head(5), START)
    assert signer(home).head(head(12), START, proof(9, 12)).checkpoint.size == 12


def test_what_another_log_published_is_no_beginning(home, tmp_path):
    (home / "log" / "checkpoint").write_text(signer(folder(tmp_path / "other")).head(head(9), START).note)
    with pytest.raises(VerificationFailed):
        signer(home).head(head(12), START)


def test_the_mark_holds_for_the_next_process_too(home):
    signer(home).head(head(9), START)
    with pytest.raises(Refused, match="older than what was signed"):
        signer(home).head(head(5), START)


def test_a_signature_is_the_same_each_time(home):
    made = signer(home)
    payload = to_payload(statement(made, KeyRole.EMERGENCY, START))
    assert made.state(KeyRole.EMERGENCY, payload) == made.state(KeyRole.EMERGENCY, payload)

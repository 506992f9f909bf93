import numpy as np
import pytest

from ringfence.artifacts.models import pickles
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import DISGUISED, HARMLESS, HOSTILE, TEXTS, importing, judged


def refused(data):
    """Whether a file that is called a pickle is refused."""
    try:
        return bool(pickles.check(Held(data)).refused)
    except MalformedInput:
        return True


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_stream_is_refused(name):
    assert refused(HOSTILE[name])


@pytest.mark.parametrize("name", DISGUISED)
def test_a_disguised_import_is_refused(name):
    assert refused(DISGUISED[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_streams_pass(name):
    walked = pickles.check(Held(HARMLESS[name]))
    assert not walked.refused
    assert walked.streams == 1


def test_arrays_that_numpy_pickled_pass():
    for array in (np.ones(3), np.zeros((2, 2), dtype=np.int8), np.array(["a", "bc"])):
        assert not pickles.check(Held(array.dumps())).refused


def test_an_import_is_named():
    assert pickles.check(Held(HOSTILE["os.system"])).refused == (("posix", "system"),)


def test_a_name_from_the_memo_is_followed():
    assert pickles.check(Held(DISGUISED["name from the memo"])).refused == (("posix", "system"),)


def test_several_pickles_in_a_row_are_all_walked():
    data = HARMLESS["numbers and texts"] * 3
    assert pickles.check(Held(data)).streams == 3
    with pytest.raises(MalformedInput, match="follow one another"):
        pickles.check(Held(b"\x80\x02N." * 65))


def test_a_stream_without_end_is_not_walked_for_ever():
    with pytest.raises(MalformedInput, match="opcodes"):
        pickles.check(Held(b"\x80\x02" + b"N0" * 2**19 + b"N."))


@pytest.mark.parametrize("data", [b"", b"\x80\x04", b"\x80\x09N.", b"\x80\x04\xff", b"hello"])
def test_what_is_no_pickle_is_refused(data):
    with pytest.raises(MalformedInput):
        pickles.check(Held(data))


def test_no_length_in_a_stream_asks_for_all_memory():
    class Endless:
        size = 2**50

        def read(self, offset, size):
            head = b"\x80\x04\x8e" + (2**40).to_bytes(8, "little")
            assert size < 2**29
            return (head + bytes(16))[offset : offset + size] if offset < 16 else bytes(size)

    with pytest.raises(MalformedInput, match="in one piece"):
        pickles.check(Endless())


def test_a_pickle_hidden_in_another_file_is_found_also_when_it_breaks_off_later():
    assert pickles.hidden(Held(HOSTILE["subprocess, protocol 0"])).imports == [("subprocess", "Popen")]
    assert pickles.hidden(Held(b"cos\nsystem\n(S'true'\ntR" + b"\xff" * 9))
    for name in ("numbers that only the loader reads", "an escape that only the loader takes"):
        assert pickles.hidden(Held(DISGUISED[name])).imports == [("subprocess", "Popen")]
    assert pickles.hidden(Held(DISGUISED["text that only some loaders take"]))
    assert pickles.hidden(Held(b"cevil_module\nname\n."))
    assert pickles.hidden(Held(b"PK\x03\x04\n" + HOSTILE["eval"])) is None  # the archive's own members are judged
    for text in (b"plain words.", b"c", b"cat\nis here\nR.", b"# config\nimport os\n", b'{"a": 1}'):
        assert pickles.hidden(Held(text)) is None


@pytest.mark.parametrize("name", TEXTS)
def test_a_pickle_that_is_written_as_text_is_found(name):
    found = judged(TEXTS[name], "notes.txt")
    assert found.verdict is Verdict.REFUSED
    assert [finding.code for finding in found.findings] == ["hidden-pickle"]


def test_a_piece_too_long_to_look_at_hides_nothing_behind_it():
    class Sparse:
        head, tail = b"\x8e" + (2**30).to_bytes(8, "little"), b"0" + HOSTILE["subprocess, protocol 0"]
        size = len(head) + 2**30 + len(tail)

        def read(self, offset, size):
            assert size < 2**29
            return self.head[offset : offset + size] if offset < 9 else self.tail[offset - 9 - 2**30 :][:size]

    assert pickles.hidden(Sparse()).imports == [("subprocess", "Popen")]


def test_the_two_newest_texts_are_forgotten_after_any_other_opcode():
    stream = b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDictN0\x93."
    with pytest.raises(MalformedInput, match="computes the name"):
        pickles.check(Held(stream))
    assert pickles.looks_like(Held(importing("a", "b")))
    assert not pickles.looks_like(Held(b"\x80"))


def test_the_keys_of_a_checkpoint_of_before_are_a_list_of_texts():
    begin = pickles.LEGACY + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"\x80\x02N."
    assert pickles.check(Held(begin + b"\x80\x02]q\x00.")).legacy
    for keys in (b"\x80\x02}.", b"\x80\x02K\x01.", b"\x80\x02]q\x00K\x01a."):
        with pytest.raises(MalformedInput, match="no list of keys"):
            pickles.check(Held(begin + keys))


def test_what_is_to_be_looked_up_is_counted_and_never_named_in_text():
    assert pickles.check(Held(b"\x80\x02U\x01aQ.")).persistent == 1
    with pytest.raises(MalformedInput, match="look up"):
        pickles.check(Held(b"\x80\x02Pa\n."))

"""The journal as a machine: whatever is appended, torn, cleared and restarted, what was acknowledged is there."""

from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.storage.journal import JournalFile
from ringfence.testing import keys

ACTS = st.lists(st.sampled_from(["append", "clear", "tear"]), max_size=15)


def envelope(sequence):
    subject = Subject("a", Digest.of(b"a"))
    return keys.state(keys.ed25519(9), "key.revoked", {"n": "x" * (sequence * 37 % 200)}, subject, sequence=sequence)


@given(ACTS, st.binary(min_size=1, max_size=400))
def test_what_was_acknowledged_is_there(tmp_path_factory, acts, garbage):
    file = JournalFile(tmp_path_factory.mktemp("j") / "j", size=2**16)
    file.create()
    waiting, last = [], 0
    for act in acts:
        match act:
            case "append":
                last = file.last_sequence(envelope(1).signer) + 1
                waiting.append(envelope(last))
                file.append(waiting[-1])
            case "clear":
                file.clear()
                waiting = []
            case "tear":  # a crash in the middle of an append that nobody acknowledged
                end = 64 + sum(36 + len(item.data) for item in waiting)
                with file.path.open("r+b") as stream:
                    stream.seek(end)
                    stream.write(len(garbage).to_bytes(4, "big") + bytes(32) + garbage)
        assert file.records() == waiting
        assert file.last_sequence(envelope(1).signer) == last

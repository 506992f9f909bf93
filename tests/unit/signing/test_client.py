import socket
import threading

import pytest

from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.signing import protocol
from ringfence.signing.client import RemoteSigner
from ringfence.signing.opening import in_process
from ringfence.signing.process import WallClock
from ringfence.testing import signing


class Lying:
    """Signs another head than the one it is asked for."""

    def __init__(self, honest):
        self.honest = honest
        self.public = honest.public

    def head(self, head, at, proof=()):
        return self.honest.head(signing.head(head.size + 1), at, proof)


def answering(path, answers):
    """Answer each connection once with given bytes, then hang up."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve():
        with listener:
            for answer in answers:
                connection = listener.accept()[0]
                with connection:
                    size = protocol.length(connection.recv(4, socket.MSG_WAITALL))
                    connection.sendall(answer(connection.recv(size, socket.MSG_WAITALL)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_a_signer_that_signs_something_else_is_found_out(tmp_path):
    honest = in_process(signing.folder(tmp_path / "home"), signing.LOG, None, WallClock())
    lying = Lying(honest)
    thread = answering(tmp_path / "s", [lambda data: protocol.answer(lying, data)] * 2)
    signer = RemoteSigner(tmp_path / "s")
    signer.public()
    with pytest.raises(InternalError, match="another head"):
        signer.head(signing.head(5), WallClock().now())
    thread.join()
    signer.close()


@pytest.mark.parametrize("answer", [b"", b"\0", b'\0\0\0\x09{"ok":1'])
def test_an_answer_that_breaks_off_is_none(tmp_path, answer):
    thread = answering(tmp_path / "s", [lambda _: answer])
    with pytest.raises(Unavailable, match="does not answer"):
        RemoteSigner(tmp_path / "s").check()
    thread.join()

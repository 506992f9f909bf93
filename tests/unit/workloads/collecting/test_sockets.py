import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringfence.kernel.errors import Unavailable
from ringfence.workloads.collecting.channels import Address
from ringfence.workloads.collecting.sockets import MachineWire, listening

ENDS = dt.datetime(2031, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(ENDS)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(encoding, form, serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def answering(answer):
    """Listen on loopback, and answer one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address("127.0.0.1", server.getsockname()[1])
        finally:
            thread.join(10)


def secured(certificate, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.minimum_version = context.maximum_version = version

    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1)

    return answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_real_handshake_tells_version_and_end(certificate, version):
    with answering(secured(certificate, version)) as address:
        found = MachineWire().handshake(address)
    assert (found.version, found.ends_at) == (version.name.replace("_", "."), ENDS)


def test_who_speaks_something_else_speaks_no_tls():
    with answering(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as address:
        assert MachineWire().handshake(address).version == ""


def test_who_hangs_up_speaks_no_tls():
    with answering(lambda connection: connection.recv(1)) as address:
        assert MachineWire().handshake(address).version == ""


def test_who_is_not_there_cannot_be_judged():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address("127.0.0.1", server.getsockname()[1])
    with pytest.raises(Unavailable):
        MachineWire().handshake(address)


def test_what_this_process_listens_on_is_found():
    before = set(MachineWire().listeners())
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("", 0)) as wide:
        found = set(MachineWire().listeners()) - before
        near, far = (Address(one.getsockname()[0], one.getsockname()[1]) for one in (server, wide))
    assert found == {near, far}
    assert (near.local, far.local) == (True, False)


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20D0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 72 1 0 100 0 0 10 0
   2: 0100007F:20D0 0100007F:B000 01 00000000:00000000 00:00000000 00000000     0        0 73 1 0 100 0 0 10 0
   3: short
"""
TABLE6 = """\
  sl  local_address rem_address st
   0: 00000000000000000000000001000000:20D1 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 74 1
   1: 0000000000000000FFFF00000100007F:20D2 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 75 1
"""


def test_the_tables_of_the_kernel_are_read():
    assert dict(listening(TABLE)) == {"71": Address("127.0.0.1", 8400), "72": Address("0.0.0.0", 22)}  # noqa: S104
    assert dict(listening(TABLE6)) == {"74": Address("::1", 8401), "75": Address("127.0.0.1", 8402)}


def test_those_below_a_process_belong_to_it(tmp_path):
    for pid, parent, inode in ((10, 1, 71), (11, 10, 74), (12, 1, 72)):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (a) name) S {parent} 0")
        (tmp_path / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TABLE)
    (tmp_path / "net" / "tcp6").write_text(TABLE6)
    assert MachineWire(tmp_path, own=10).listeners() == [Address("127.0.0.1", 8400), Address("::1", 8401)]

"""Alerts reach a real mail server and a real web server, over verified TLS; and what must not reach them does not."""

import email
import email.policy
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence.kernel.errors import Unavailable
from ringfence.soc.notifier import Mail, MailNotifier, Webhook, WebhookNotifier
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.soc import FakeNotifier, alert, hands_over, refuses_in_our_words

SECRET = b"a secret of the webhook"
PASSWORD = "the password of the mailbox"


def _certificate(name, issuer, key, signing, *, ca):
    now = datetime.now(UTC)  # noqa: TID251 - the libraries compare it with this machine's clock
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = built.add_extension(usage, critical=True)
    else:
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return built.sign(signing, hashes.SHA256())


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA of the test's own, a server certificate by it, and secrets."""
    folder = tmp_path_factory.mktemp("pki")
    root, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(_certificate("Test CA", "Test CA", root, root, ca=True).public_bytes(pem))
    chain = _certificate("localhost", "Test CA", server, root, ca=False).public_bytes(pem)
    key = server.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(chain + key)
    for name, secret in (("secret", SECRET), ("password", PASSWORD.encode())):
        (folder / name).write_bytes(secret + b"\n")
        (folder / name).chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def context(pki):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pki / "server.pem")
    return made


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Inbox:
    """What the mail server took."""

    def __init__(self):
        self.messages, self.secured, self.refusing = [], [], False

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd looks for this name
        if self.refusing:
            return "451 not now"
        self.messages.append(
            (envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default))
        )
        self.secured.append(session.ssl is not None)
        return "250 taken"


@pytest.fixture
def mail_server(context):
    smtp = pytest.importorskip("aiosmtpd.smtp", reason="no aiosmtpd here (it is in the group `test`)")
    from aiosmtpd.controller import Controller

    def accept(_server, _session, _envelope, _mechanism, data):
        return smtp.AuthResult(success=data.login == b"ringfence" and data.password == PASSWORD.encode())

    inbox = Inbox()
    controller = Controller(
        inbox, hostname="127.0.0.1", port=_free_port(), tls_context=context, require_starttls=True,
        authenticator=accept, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield inbox, controller.port
    controller.stop()


@pytest.fixture
def mail(mail_server, pki):
    return Mail(
        "127.0.0.1", mail_server[1], "starttls", "ringfence@example.eu", ("soc@example.eu", "ciso@example.eu"),
        "ringfence", pki / "password", pki / "ca.pem",
    )  # fmt: skip


def changed(mail, **fields):
    return MailNotifier(replace(mail, **fields), FakeClock())


class Hook(BaseHTTPRequestHandler):
    """Keep what is posted; answer as the test says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if 300 <= self.server.status < 400:
            self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments):
        """Stay quiet."""


@pytest.fixture(params=["http", "https"])
def web_server(request, context):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.taken, server.status, server.scheme = [], 204, request.param
    if request.param == "https":
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def webhook(web_server, pki):
    url = f"{web_server.scheme}://127.0.0.1:{web_server.server_port}/hook"
    return WebhookNotifier(Webhook(url, pki / "secret", pki / "ca.pem"), FakeClock())


def test_the_fake_does_what_the_adapters_do():
    fake = FakeNotifier()
    hands_over(fake, lambda: len(fake.sent))
    fake.broken = Unavailable("no")
    refuses_in_our_words(fake)
    assert len(fake.sent) == 1


def test_mail_arrives_over_verified_tls_at_every_receiver(mail, mail_server):
    inbox, _ = mail_server
    hands_over(MailNotifier(mail, FakeClock()), lambda: len(inbox.messages))
    receivers, message = inbox.messages[0]
    assert inbox.secured == [True]
    assert receivers == ["soc@example.eu", "ciso@example.eu"]
    assert message["Subject"] == alert().subject
    assert message["Message-ID"] == f"<{alert().identifier}@ringfence.invalid>"
    assert message.get_content().splitlines() == alert().text.splitlines()
    assert PASSWORD not in message.as_string()


def test_a_subject_cannot_add_headers(mail, mail_server):
    inbox, _ = mail_server
    MailNotifier(mail, FakeClock()).send(replace(alert(), subject="x\r\nBcc: eve@example.org\r\n\r\nbody"))
    receivers, message = inbox.messages[0]
    assert message["Bcc"] is None
    assert "eve@example.org" not in receivers


def test_mail_is_not_sent_where_the_server_cannot_be_verified(mail, mail_server):
    refuses_in_our_words(changed(mail, ca_file=None))
    refuses_in_our_words(changed(mail, tls="tls"))
    assert mail_server[0].messages == []


def test_a_password_never_goes_out_in_the_clear(mail, mail_server):
    refuses_in_our_words(changed(mail, tls="none"))
    assert mail_server[0].messages == []


def test_a_mail_server_that_refuses_or_is_gone_is_named(mail, mail_server):
    mail_server[0].refusing = True
    refuses_in_our_words(changed(mail))
    refuses_in_our_words(changed(mail, port=_free_port()))
    assert mail_server[0].messages == []


def test_a_webhook_is_signed_json(webhook, web_server):
    hands_over(webhook, lambda: len(web_server.taken))
    path, headers, body = web_server.taken[0]
    given = {name.lower(): value for name, value in headers.items()}
    stamp, code = (part.partition("=")[2] for part in given["x-ringfence-signature"].split(","))
    assert code == hmac.new(SECRET, f"{int(START.timestamp())}.".encode() + body, sha256).hexdigest()
    assert int(stamp) == int(START.timestamp())
    assert given["x-ringfence-alert"] == alert().identifier
    assert path == "/hook"
    assert json.loads(body)["subject"] == alert().subject
    assert SECRET not in body


@pytest.mark.parametrize("status", [301, 307, 308, 400, 404, 500, 503])
def test_a_webhook_follows_no_redirect_and_takes_no_refusal(webhook, web_server, status):
    web_server.status = status
    refuses_in_our_words(webhook)
    assert [path for path, _, _ in web_server.taken] == ["/hook"]


def test_a_webhook_is_not_sent_where_the_server_cannot_be_verified(webhook, web_server):
    if web_server.scheme == "http":
        pytest.skip("plain HTTP on this machine has no certificate to verify")
    refuses_in_our_words(WebhookNotifier(replace(webhook.webhook, ca_file=None), FakeClock()))
    assert web_server.taken == []


def test_a_webhook_that_is_gone_is_named(pki):
    refuses_in_our_words(WebhookNotifier(Webhook(f"http://127.0.0.1:{_free_port()}/", pki / "secret"), FakeClock()))


def test_a_secret_that_others_can_read_is_not_used(webhook, pki, web_server):
    from ringfence.kernel.errors import UsageError

    (pki / "open").write_bytes(SECRET)
    (pki / "open").chmod(0o644)
    with pytest.raises(UsageError):
        WebhookNotifier(replace(webhook.webhook, secret_file=pki / "open"), FakeClock()).send(alert())
    assert web_server.taken == []

import json

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.soc.notifier import FileNotifiers, is_local, parse, signature
from ringfence.testing.clock import FakeClock
from ringfence.testing.soc import TENANT

MAIL = {"host": "mail.example.eu", "port": 587, "tls": "starttls", "from": "r@example.eu", "to": ["soc@example.eu"]}
HOOK = {"url": "https://chat.example.eu/x", "secret_file": "/secret"}


def document(**channels):
    return json.dumps({"format": "ringfence-alerts/v1", "tenants": {"acme": channels}}).encode()


def test_channels_are_read():
    (mail, hook) = parse(document(mail=MAIL, webhook=HOOK | {"ca_file": "/ca"}), source="x")[TENANT]
    assert (mail.host, mail.receivers, mail.password_file) == ("mail.example.eu", ("soc@example.eu",), None)
    assert hook.url == HOOK["url"]
    assert parse(document(), source="x")[TENANT] == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"port": 0},
        {"port": True},
        {"port": "587"},
        {"tls": "none"},
        {"tls": "maybe"},
        {"tls": None},
        {"to": []},
        {"to": ["soc@example.eu\nBcc: eve@example.org"]},
        {"to": ["a@b, c@d"]},
        {"to": ["nobody"]},
        {"to": ["a@b.eu"] * 51},
        {"from": 7},
        {"user": "ringfence"},
        {"password_file": "/x"},
        {"user": "u", "password_file": "relative"},
        {"host": "mail\n.example.eu"},
        {"password": "in the clear"},
        {"host": "127.0.0.1", "tls": "none", "user": "u", "password_file": "/x"},
    ],
)
def test_mail_that_would_not_be_safe_is_refused(change):
    with pytest.raises(MalformedInput):
        parse(document(mail=MAIL | change), source="x")


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://chat.example.eu/x"},
        {"url": "https://user:secret@chat.example.eu/x"},
        {"url": "file:///etc/passwd"},
        {"url": "https://"},
        {"url": "https://chat.example.eu:99999/"},
        {"url": "https://chat.example.eu/\n"},
        {"url": 7},
        {"secret_file": None},
        {"secret_file": "secret"},
        {"secret": "x"},
    ],
)
def test_a_webhook_that_would_not_be_safe_is_refused(change):
    with pytest.raises(MalformedInput):
        parse(document(webhook=HOOK | change), source="x")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format": "ringfence-alerts/v1"}', document(pager={})])
def test_what_is_no_list_of_channels_is_refused(data):
    with pytest.raises(MalformedInput):
        parse(data, source="x")


def test_plain_connections_stay_on_this_machine():
    assert parse(document(webhook=HOOK | {"url": "http://127.0.0.1:9/x"}), source="x")[TENANT][1] is not None
    assert parse(document(mail=MAIL | {"host": "localhost", "tls": "none"}), source="x")[TENANT][0] is not None
    assert [is_local(host) for host in ("::1", "127.9.9.9", "localhost.example.eu", "10.0.0.1")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_file_is_read_anew_and_only_where_it_is_private(tmp_path):
    path = tmp_path / "alerts.json"
    notifiers = FileNotifiers(path, FakeClock())
    assert notifiers.of(TENANT) == ()
    path.write_bytes(document(mail=MAIL, webhook=HOOK))
    path.chmod(0o600)
    assert [each.channel for each in notifiers.of(TENANT)] == ["mail", "webhook"]
    assert list(notifiers.of("other")) == []
    path.chmod(0o640)
    with pytest.raises(UsageError):
        notifiers.of(TENANT)


def test_a_signature_covers_time_and_body():
    made = signature(b"k", 1, b"x")
    assert made.startswith("t=1,v1=")
    assert made != signature(b"k", 2, b"x") != signature(b"k", 2, b"y")
    assert made != signature(b"j", 1, b"x")

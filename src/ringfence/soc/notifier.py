"""Alerts by mail and by webhook, and the file that says where to.

`<home>/alerts.json` (0600) names channels per tenant; secrets lie in files of their own (0600). Off loopback every
channel is verified TLS; nothing follows a redirect, and no proxy of the environment is asked.
"""

import hashlib
import hmac
import ipaddress
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from ringfence.kernel import digest
from ringfence.kernel.clock import Clock, to_millis
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.kernel.identifier import Tenant, tenant
from ringfence.soc.ports import Alert, Notifier
from ringfence.storage.files import read_private

TIMEOUT = 10.0  # seconds, for each step of a conversation
FORMAT = "ringfence-alerts/v1"
MAX_RECEIVERS = 50
SIGNATURE = "x-ringfence-signature"


@dataclass(frozen=True, slots=True)
class Mail:
    """Where mail goes."""

    host: str
    port: int
    tls: str  # "starttls", "tls", or "none" for this machine only
    sender: str
    receivers: tuple[str, ...]
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a webhook goes."""

    url: str
    secret_file: Path
    ca_file: Path | None = None


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"the CA file {ca_file} for alerts cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


@dataclass(frozen=True, slots=True)
class MailNotifier:
    """Hand alerts to a mail server."""

    mail: Mail
    clock: Clock
    channel: str = "mail"

    def send(self, alert: Alert) -> None:
        """Send one message to every receiver; raise `Unavailable` where the server did not take it for all."""
        try:
            with self._connected() as server:
                if self.mail.password_file is not None:
                    server.login(self.mail.user, _secret(self.mail.password_file).decode())
                refused = server.send_message(self._message(alert))
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise Unavailable(f"the mail server {self.mail.host} did not take the alert: {_said(error)}") from error
        if refused:
            raise Unavailable(f"the mail server {self.mail.host} refused {len(refused)} of the receivers")

    def _connected(self) -> smtplib.SMTP:
        mail = self.mail
        if mail.tls == "tls":
            context = _context(mail.ca_file)
            return smtplib.SMTP_SSL(mail.host, mail.port, "localhost", timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(mail.host, mail.port, "localhost", timeout=TIMEOUT)
        if mail.tls == "starttls":
            try:
                server.starttls(context=_context(mail.ca_file))  # raises where the server does not offer it
            except BaseException:
                server.close()
                raise
        return server

    def _message(self, alert: Alert) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.mail.sender
        message["To"] = ", ".join(self.mail.receivers)
        message["Subject"] = alert.subject.replace("\r", " ").replace("\n", " ")
        message["Date"] = format_datetime(self.clock.now())
        message["Message-ID"] = f"<{alert.identifier}@ringfence.invalid>"  # the same in every attempt
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(alert.text)
        return message


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """Post alerts as signed JSON."""

    webhook: Webhook
    clock: Clock
    channel: str = "webhook"

    def send(self, alert: Alert) -> None:
        """Post it; raise `Unavailable` unless the answer is 2xx: a redirect is none."""
        body = digest.dumps(dict(alert.document) | {"alert": alert.identifier, "subject": alert.subject})
        stamp = to_millis(self.clock.now()) // 1000
        headers = {
            "content-type": "application/json",
            "user-agent": "ringfence",
            "x-ringfence-alert": alert.identifier,
            SIGNATURE: signature(_secret(self.webhook.secret_file), stamp, body),
        }
        host = urlsplit(self.webhook.url).hostname
        try:
            with (
                httpx.Client(
                    verify=_context(self.webhook.ca_file), timeout=TIMEOUT, trust_env=False, follow_redirects=False
                ) as client,
                client.stream("POST", self.webhook.url, content=body, headers=headers) as answer,
            ):
                taken = answer.is_success
                status = answer.status_code
        except httpx.HTTPError as error:
            raise Unavailable(f"the webhook at {host} did not answer: {_said(error)}") from error
        if not taken:
            raise Unavailable(f"the webhook at {host} answered {status}")


def signature(secret: bytes, stamp: int, body: bytes) -> str:
    """Return `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`: whoever receives it refuses old stamps."""
    code = hmac.new(secret, str(stamp).encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={code.hexdigest()}"


def _secret(path: Path) -> bytes:
    return read_private(path).rstrip(b"\r\n")


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@dataclass(frozen=True, slots=True)
class FileNotifiers:
    """`Notifiers` from a file that is read each time: a change needs no restart."""

    path: Path
    clock: Clock

    def of(self, wanted: Tenant) -> Sequence[Notifier]:
        """Return the channels of a tenant; none where the file is not there."""
        if not self.path.exists():
            return ()
        mail, webhook = parse(read_private(self.path), source=self.path.name).get(wanted, (None, None))
        found: list[Notifier] = [MailNotifier(mail, self.clock)] if mail else []
        return found + ([WebhookNotifier(webhook, self.clock)] if webhook else [])


Channels = tuple[Mail | None, Webhook | None]


def parse(data: bytes, *, source: str) -> Mapping[Tenant, Channels]:
    """Parse the file of channels; raise `MalformedInput` naming the field that is wrong."""
    match digest.loads(data, source=source, limit=2**18):
        case {"format": kind, "tenants": dict() as tenants, **rest} if kind == FORMAT and not rest:
            return {tenant(name): _channels(name, value) for name, value in tenants.items()}
        case _:
            raise MalformedInput(f"the file has format {FORMAT!r} and tenants, nothing else", source=source)


def _channels(name: str, value: object) -> Channels:
    match value:
        case {**channels} if channels.keys() <= {"mail", "webhook"}:
            mail = _mail(channels["mail"]) if "mail" in channels else None
            return mail, _webhook(channels["webhook"]) if "webhook" in channels else None
        case _:
            raise MalformedInput("a tenant has mail, webhook, or both", source=f"tenants.{name}")


def _mail(value: Any) -> Mail:
    match value:
        case {"host": str() as host, "port": int() as port, "tls": tls, "from": sender, "to": list() as to, **rest} if (
            rest.keys() <= {"user", "password_file", "ca_file"}
        ):
            receivers = tuple(_address(item) for item in to)
            if tls not in {"starttls", "tls", "none"} or not 1 <= len(receivers) <= MAX_RECEIVERS:
                raise MalformedInput("tls is starttls, tls or none; there are 1 to 50 receivers", source="mail")
            if tls == "none" and not is_local(host):
                raise MalformedInput("mail without TLS stays on this machine; use starttls or tls", source="mail.tls")
            if type(port) is not int or not 1 <= port <= 65535 or not host.isascii() or not host.isprintable():
                raise MalformedInput("a host name and a port are wanted", source="mail")
            if tls == "none" and rest.get("user"):
                raise MalformedInput("a password is not sent without TLS; use starttls or tls", source="mail.tls")
            login, ca = (
                _path(rest.get("password_file"), "mail.password_file"),
                _path(rest.get("ca_file"), "mail.ca_file"),
            )
            return Mail(host, port, tls, _address(sender), receivers, _user(rest.get("user", ""), login), login, ca)
        case _:
            raise MalformedInput(
                "mail has host, port, tls, from, to; perhaps user, password_file, ca_file", source="mail"
            )


def _user(value: object, login: Path | None) -> str:
    if not isinstance(value, str) or len(value) > 200 or bool(value) != (login is not None):
        raise MalformedInput("user and password_file belong together", source="mail.user")
    return value


def _address(value: object) -> str:
    good = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= 254
    text = str(value)
    if not good or text.count("@") != 1 or any(c in " ,;<>\"'" for c in text):
        raise MalformedInput(f"{text[:60]!r} is not a plain mail address", source="mail")
    return text


def _path(value: object, name: str) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise MalformedInput("an absolute path is wanted", source=name)
    return Path(value)


def _webhook(value: Any) -> Webhook:
    match value:
        case {"url": str() as url, "secret_file": secret, **rest} if rest.keys() <= {"ca_file"}:
            path = _path(secret, "webhook.secret_file")
            if path is None:
                raise MalformedInput("a webhook is signed: name a file with its secret", source="webhook.secret_file")
            return Webhook(_url(url), path, _path(rest.get("ca_file"), "webhook.ca_file"))
        case _:
            raise MalformedInput("a webhook has url and secret_file, and perhaps ca_file", source="webhook")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise MalformedInput(f"not an address: {error}", source="webhook.url") from error
    if not parts.hostname or parts.username or not text.isascii() or not text.isprintable() or len(text) > 2000:
        raise MalformedInput("an address without user and password is wanted", source="webhook.url")
    if parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname)):
        return text
    raise MalformedInput("a webhook is https:// (http:// is for this machine only)", source="webhook.url")


def is_local(host: str) -> bool:
    """Return whether a name stands for this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Settings: the environment, parsed once, frozen. docs/reference/settings.md lists every one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ringfence.kernel.errors import UsageError

DEFAULT_PORT = 8400
LOOPBACK = "127.0.0.1"
CONFIRMATION_HEADER = "x-ringfence-confirmation"  # carries RINGFENCE_CONFIRMATION beside a token
MAX_PASSPHRASE = 4096  # bytes; a file beyond that is not a passphrase but a mistake


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the state lies, where the API is, and who is acting."""

    home: Path
    url: str = ""
    token: str = ""
    operator: str = ""
    passphrase_file: Path | None = None
    console: str = ""  # the console's address as browsers show it; without it http://localhost and the port
    confirmation: str = field(default="", repr=False)  # what the console gave a person for dangerous acts in a terminal
    sign_with: str = ""  # "passkey": acts are signed in the browser instead of with the operator's key
    hosts: str = ""  # further names under which `up` is asked, with commas between them
    database_url: str = ""  # PostgreSQL; without it what the home names, or SQLite in it

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `RINGFENCE_HOME`, `_URL`, `_TOKEN`, `_OPERATOR`, `_PASSPHRASE_FILE` and `_DATABASE_URL`."""
        env = os.environ if environment is None else environment
        passphrase_file = env.get("RINGFENCE_PASSPHRASE_FILE", "")
        return cls(
            home=_path("RINGFENCE_HOME", env.get("RINGFENCE_HOME") or "~/.ringfence").absolute(),
            url=_url(env.get("RINGFENCE_URL", "")),
            token=_token(env.get("RINGFENCE_TOKEN", "")),
            operator=env.get("RINGFENCE_OPERATOR", ""),
            passphrase_file=_path("RINGFENCE_PASSPHRASE_FILE", passphrase_file) if passphrase_file else None,
            console=env.get("RINGFENCE_CONSOLE_URL", "").rstrip("/"),
            confirmation=_token(env.get("RINGFENCE_CONFIRMATION", ""), "RINGFENCE_CONFIRMATION"),
            sign_with=_sign_with(env.get("RINGFENCE_SIGN_WITH", "")),
            hosts=env.get("RINGFENCE_HOSTS", ""),
            database_url=env.get("RINGFENCE_DATABASE_URL", ""),
        )

    def passphrase(self) -> bytes | None:
        """Return what stands in the passphrase file, without the line end; None where no file is named."""
        if self.passphrase_file is None:
            return None
        try:
            with self.passphrase_file.open("rb") as file:
                text = file.read(MAX_PASSPHRASE + 1).rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"RINGFENCE_PASSPHRASE_FILE cannot be read: {error.strerror}") from error
        if not 1 <= len(text) <= MAX_PASSPHRASE:
            raise UsageError(f"RINGFENCE_PASSPHRASE_FILE must hold 1 to {MAX_PASSPHRASE} bytes")
        return text


def _path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{name} begins with ~, and no home directory is known for that user") from error


def _token(text: str, name: str = "RINGFENCE_TOKEN") -> str:
    """Refuse what cannot stand in an HTTP header."""
    if not text.isascii() or (text and not text.isprintable()):
        raise UsageError(f"{name} holds characters that no token has; copy it again")
    return text


def _sign_with(text: str) -> str:
    if text not in {"", "key", "passkey"}:
        raise UsageError("RINGFENCE_SIGN_WITH is key or passkey")
    return "" if text == "key" else text


def _url(text: str) -> str:
    """Refuse a URL that would send a token in the clear beyond this machine."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number up to 65535
    except ValueError as error:
        raise UsageError(f"RINGFENCE_URL is not an address: {error}") from error
    local = parts.hostname in {LOOPBACK, "::1", "localhost"}
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return text.rstrip("/")
    raise UsageError("RINGFENCE_URL must begin with https:// (http:// is for this machine only)")

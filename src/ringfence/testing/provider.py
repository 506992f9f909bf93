"""An OpenID provider as a process of its own: authlib's server side, by the package oidc-provider-mock; and its user.

with provider() as issuer:
    code = signed_in(issuer, address, "ada")     # what the browser would bring back
"""

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

PACKAGE = "oidc_provider_mock"
_START_SECONDS = 30


@contextmanager
def provider() -> Iterator[str]:
    """Run a provider on the loopback address, and give its issuer."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("no OpenID provider: the test package oidc-provider-mock is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        PACKAGE,
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--require-nonce",
        "true",
    ]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait(issuer, process)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def _wait(issuer: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    message = "the OpenID provider did not start"
    raise AssertionError(message)


def signed_in(address: str, subject: str) -> dict[str, str]:
    """Sign in at the provider as its user; return what it sends the browser back with."""
    answer = httpx.post(address, data={"sub": subject}, trust_env=False)
    assert answer.status_code in {302, 303}, answer.text[:500]
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

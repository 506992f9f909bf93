"""An S3 server of others on loopback, in a process of its own: where a test publishes a log as objects."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from typing import Any

import httpx
import pytest

ACCESS_KEY, SECRET = "AKIAOFATEST000000000", "the-secret-of-an-object-store"
BUCKET = "evidence"
_SERVER = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A server that runs, with one bucket."""

    address: str
    process: "subprocess.Popen[str]"

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what the driver reads of its own accord; nothing of it is a setting of ours."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",  # we ask again ourselves
        }

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a bare request for an object, past the driver and past us."""
        signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request"}
        headers = {**signed, **more.pop("headers", {})}
        return httpx.request(method, f"{self.address}/{BUCKET}{path}", headers=headers, trust_env=False, **more)

    def kill(self) -> None:
        """Let the server be away."""
        self.process.kill()
        self.process.wait()


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run a server while the block lasts; skip the test, with the reason, where there is none to run."""
    for module in ("s3fs", "moto"):
        if util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (`make setup` does it)")
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        made = ObjectStore(f"http://127.0.0.1:{int(process.stdout.readline())}", process)
        made.ask("PUT", "").raise_for_status()
        yield made
    finally:
        process.kill()
        process.communicate()

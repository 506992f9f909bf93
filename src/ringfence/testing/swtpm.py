"""A TPM in software, and tpm2-tools on it: neither is ours. Tests skip where they are not there."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.attestation.credential import Credential
from ringfence.testing.programs import surroundings, tool

PCRS = "0,1,2,3,4,5,6,7,8,9,10,14"
_CREDENTIAL_HEAD = bytes.fromhex("badcc0de00000001")  # of a file of tpm2_activatecredential
_TRIES = 200


@dataclass(frozen=True)
class Tools:
    """tpm2-tools on one TPM, with a folder for their files."""

    folder: Path

    def run(self, name: str, *arguments: str) -> str:
        """Run one tool to its end; raise `CalledProcessError` where it refuses."""
        environment = surroundings({"TPM2TOOLS_TCTI": f"swtpm:path={self.folder / 'sock'}"})
        argv = [str(tool(name)), *arguments]
        done = subprocess.run(  # noqa: S603 -- a program of the test set
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def read(self, name: str) -> bytes:
        """Return a file that a tool wrote."""
        return (self.folder / name).read_bytes()

    def keys(self, endorsement: str = "rsa", attestation: str = "ecc", scheme: str = "ecdsa") -> None:
        """Make an endorsement key and an attestation key below it."""
        self.run("tpm2_createek", "-c", "ek.ctx", "-G", endorsement, "-u", "ek.pub")
        wanted = ("-G", attestation, "-g", "sha256", "-s", scheme)
        self.run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", *wanted, "-u", "ak.pub", "-n", "ak.name")
        self.run("tpm2_flushcontext", "-t")

    def quote(self, extra: bytes, selection: str = f"sha256:{PCRS}", scheme: str = "ecdsa") -> None:
        """Quote PCRs into q.msg, q.sig and q.pcrs."""
        outputs = ("-m", "q.msg", "-s", "q.sig", "-o", "q.pcrs", "--scheme", scheme)
        self.run("tpm2_quote", "-c", "ak.ctx", "-l", selection, "-q", extra.hex(), *outputs)
        self.run("tpm2_flushcontext", "-t")

    def accepts(self, extra: bytes, message: bytes, signature: bytes) -> bool:
        """Return whether tpm2_checkquote takes a quote."""
        (self.folder / "c.msg").write_bytes(message)
        (self.folder / "c.sig").write_bytes(signature)
        try:
            given = ("-m", "c.msg", "-s", "c.sig", "-f", "q.pcrs", "-q", extra.hex())
            self.run("tpm2_checkquote", "-u", "ak.pub", *given)
        except subprocess.CalledProcessError:
            return False
        return True

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether the TPM itself takes a signature by the attestation key, of which it is given the public half.

        `tpm2_checkquote` knows of no RSASSA-PSS; the TPM does.
        """
        (self.folder / "c.msg").write_bytes(message)
        (self.folder / "c.sig").write_bytes(signature)
        self.run("tpm2_loadexternal", "-C", "o", "-u", "ak.pub", "-c", "public.ctx")
        try:
            self.run("tpm2_verifysignature", "-c", "public.ctx", "-g", "sha256", "-m", "c.msg", "-s", "c.sig")
        except subprocess.CalledProcessError as error:
            if "the signature is not valid" not in error.stderr:
                raise  # anything else is no verdict
            return False
        finally:
            self.run("tpm2_flushcontext", "-t")
        return True

    def activate(self, given: Credential, beside: str = "ak.ctx", *arguments: str) -> bytes:
        """Return the secret of a credential for a key; raise `CalledProcessError` where the TPM does not give it."""
        (self.folder / "credential").write_bytes(_CREDENTIAL_HEAD + given.blob + given.secret)
        self.run("tpm2_startauthsession", "--policy-session", "-S", "session.ctx")
        try:
            self.run("tpm2_policysecret", "-S", "session.ctx", "-c", "e")
            given_keys = ("-c", beside, *arguments, "-C", "ek.ctx", "-P", "session:session.ctx")
            self.run("tpm2_activatecredential", *given_keys, "-i", "credential", "-o", "secret")
        finally:
            self.run("tpm2_flushcontext", "session.ctx")
            self.run("tpm2_flushcontext", "-t")
        return self.read("secret")

    def pcrs(self) -> dict[int, bytes]:
        """Return the PCRs of `PCRS`."""
        self.run("tpm2_pcrread", f"sha256:{PCRS}", "-o", "values")
        data = self.read("values")
        return {int(number): data[32 * place : 32 * place + 32] for place, number in enumerate(PCRS.split(","))}


@contextmanager
def software_tpm() -> Iterator[Tools]:
    """Start a TPM of its own, and end it."""
    program, _ = tool("swtpm"), tool("tpm2_quote")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        argv = [
            str(program),
            *("socket", "--tpm2", "--tpmstate", f"dir={place}", "--flags", "not-need-init,startup-clear"),
            *("--server", f"type=unixio,path={place / 'sock'}", "--ctrl", f"type=unixio,path={place / 'sock.ctrl'}"),
        ]
        child = subprocess.Popen(  # noqa: S603 -- a program of the test set
            argv, env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(place / "sock.ctrl", child)
            yield Tools(place)
        finally:
            child.terminate()
            child.wait(timeout=30)


def _wait(path: Path, child: "subprocess.Popen[bytes]") -> None:
    """Wait for the socket; the program makes it once it can answer."""
    for _ in range(_TRIES):
        if path.exists():
            return
        try:
            child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    message = "swtpm did not start"
    raise AssertionError(message)

"""OpenSSH public keys and what `ssh` is told; pure."""

import base64
import binascii
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.compute.model import Endpoint, NodeId
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

_KIND = b"ssh-ed25519"
_MAX_LINE = 200


def fingerprint(line: object) -> Digest:
    """Return the SHA-256 fingerprint of an OpenSSH Ed25519 public key."""
    return Digest.of(blob(line))


def blob(line: object) -> bytes:
    """Return what an OpenSSH Ed25519 public key is on the wire; raise `MalformedInput` for anything else."""
    words = line.split() if isinstance(line, str) and len(line) <= _MAX_LINE and line.isascii() else []
    if len(words) not in {2, 3} or words[0] != _KIND.decode():
        raise MalformedInput("a public key is one line: ssh-ed25519 AAAA…", source="public_key")
    try:
        found = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("the public key is not base64", source="public_key") from error
    if len(found) != 51 or found[:19] != len(_KIND).to_bytes(4, "big") + _KIND + (32).to_bytes(4, "big"):
        raise MalformedInput("the public key is not an Ed25519 key", source="public_key")
    return found


def known_hosts(node: NodeId, host_key: str) -> str:
    """Return the line by which `ssh` knows the node before it has ever been there."""
    return f"{node} {host_key}\n"


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one session, in a directory that only its owner reads."""

    key: str
    certificate: str
    known_hosts: str


def command(program: str, node: NodeId, endpoint: Endpoint, files: Files, remote: Sequence[str]) -> list[str]:
    """Return the argv of an SSH session that trusts only the host key that was recorded."""
    options = [
        f"UserKnownHostsFile={files.known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        f"HostKeyAlias={node}",
        "HostKeyAlgorithms=ssh-ed25519",
        "IdentitiesOnly=yes",
        f"IdentityFile={files.key}",
        f"CertificateFile={files.certificate}",
        "PreferredAuthentications=publickey",
        "BatchMode=yes",
        "ForwardAgent=no",
        "UpdateHostKeys=no",
        "LogLevel=ERROR",
    ]
    if endpoint.proxy:
        options.append(f"ProxyCommand={shlex.join(endpoint.proxy).replace('%', '%%')}")  # ssh expands %h and the like
        # A connection that is handed over never leaves this machine; a hybrid exchange would cost a tenth of a second.
        options += ["ProxyUseFdpass=yes", "KexAlgorithms=curve25519-sha256"] if endpoint.fdpass else []
    argv = [program, "-F", "none", *(part for option in options for part in ("-o", option))]
    argv += ["-p", str(endpoint.port), "-l", endpoint.user, "--", endpoint.host]
    return [*argv, shlex.join(remote)] if remote else argv

"""What every node's sshd is told, and the host key that is made before the node is.

Users come in by certificates of our authority only (principal: the node's id), and by password where the specification
carries one, which is for lab nodes that are to be broken into. What sshd prints with `-e` has no syslog prefix: no host
and no `sshd[pid]:`.
"""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.compute.configuration import BLOCKED, Fact, Facts, listed
from ringfence.compute.model import NodeClass, NodeId, NodeSpec
from ringfence.compute.providers.authority import private_bytes, public_line
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

USER = "ringfence"
UID = 1000
HOME = f"/home/{USER}"
DIRECTORY = "/etc/ssh"
PORT = 22
HOST_KEY, CA, PRINCIPALS, CONFIGURATION = "host_key", "ca.pub", "principals", "sshd_config"
LOCKED = "*"  # no password matches it, and unlike `!` it does not lock the account for certificates
_CRYPT = re.compile(r"\$(?:5|6|y|2[aby])\$[A-Za-z0-9./$=,+-]{8,200}")

# Six tries per connection, ten connections that have not logged in, four of them from one address: a guesser cannot
# keep the owner out, and each guess is logged (VERBOSE). Nothing is forwarded: a login is no way around the cut.
# Where there is a runtime, its engine is reached through SSH: connections to the loopback go in, nothing comes out.
FIXED = """\
Protocol 2
AddressFamily inet
UsePAM no
UseDNS no
PidFile none
StrictModes yes
LogLevel VERBOSE
LoginGraceTime 30
MaxAuthTries 6
MaxSessions 10
MaxStartups 10:30:20
PerSourceMaxStartups 4
AuthorizedKeysFile none
HostbasedAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
CASignatureAlgorithms ssh-ed25519
HostKeyAlgorithms ssh-ed25519
PubkeyAcceptedAlgorithms ssh-ed25519-cert-v01@openssh.com
AllowStreamLocalForwarding no
AllowAgentForwarding no
GatewayPorts no
PermitTunnel no
X11Forwarding no
PermitListen none
PermitUserEnvironment no
PermitUserRC no
ClientAliveInterval 30
ClientAliveCountMax 4
Compression no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""


CLOSED = {"DisableForwarding": "yes", "AllowTcpForwarding": "no"}
TO_LOOPBACK = {"AllowTcpForwarding": "local", "PermitOpen": "127.0.0.1:*"}


@dataclass(frozen=True, slots=True)
class HostKey:
    """A node's host key: the private part goes into the node, the public one is what clients insist on."""

    private: str
    public: str  # OpenSSH: `ssh-ed25519 AAAA…`

    def __repr__(self) -> str:
        return f"HostKey({self.public!r})"


def new_host_key() -> HostKey:
    """Make one."""
    key = Ed25519PrivateKey.generate()
    return HostKey(private_bytes(key).decode(), public_line(key))


def configuration(spec: NodeSpec, *, user: str = USER, directory: str = DIRECTORY, port: int = PORT) -> str:
    """Return the node's `sshd_config`."""
    own = {
        "Port": str(port),
        "HostKey": f"{directory}/{HOST_KEY}",
        "TrustedUserCAKeys": f"{directory}/{CA}",
        "AuthorizedPrincipalsFile": f"{directory}/{PRINCIPALS}",
        "AllowUsers": user,
        "PermitRootLogin": "prohibit-password" if user == "root" else "no",
        "PubkeyAuthentication": "yes",
        "PasswordAuthentication": "yes" if spec.password else "no",
        **(TO_LOOPBACK if spec.runtime else CLOSED),
    }
    return FIXED + "".join(f"{name} {value}\n" for name, value in own.items())


def files(spec: NodeSpec, key: HostKey, ca_public: str, *, user: str = USER) -> dict[str, tuple[int, str]]:
    """Return what lies in the node's `/etc/ssh`: name to mode and content."""
    return {
        CONFIGURATION: (0o444, configuration(spec, user=user)),
        HOST_KEY: (0o400, key.private),
        CA: (0o444, ca_public + "\n"),
        PRINCIPALS: (0o444, principal(spec.node) + "\n"),
    }


def principal(node: NodeId) -> str:
    """Return the only name that certificates for this node carry."""
    return node


def accounts(spec: NodeSpec) -> dict[str, tuple[int, str]]:
    """Return the account files of a node whose only user is `ringfence`: path to mode and content."""
    return {
        "/etc/passwd": (0o444, f"{USER}:x:{UID}:{UID}::{HOME}:/bin/bash\n"),
        "/etc/group": (0o444, f"{USER}:x:{UID}:\n"),
        "/etc/shadow": (0o400, f"{USER}:{verify_hash(spec.password)}:20000:0:99999:7:::\n"),
    }


def baseline(spec: NodeSpec) -> Facts:
    """Return what a node of ours says of itself where nobody changed it: the two files above, and what follows."""
    facts: dict[str, str] = {
        Fact.SSHD: Digest.of(configuration(spec).encode()).hex,
        Fact.LISTENING: listed((PORT, *spec.expose)),
        Fact.SYSTEM: "fixed",
        Fact.REMOVABLE: BLOCKED,
    }
    if spec.node_class is NodeClass.NAMESPACE:
        held = accounts(spec)
        facts[Fact.ACCOUNTS] = Digest.of((held["/etc/passwd"][1] + held["/etc/group"][1]).encode()).hex
        facts[Fact.PRIVILEGES] = "CapBnd:0000000000000000,NoNewPrivs:1"
    return facts


def verify_hash(password: str | None) -> str:
    """Return the entry for a salted crypt(3) hash; anything else is refused, since it would become part of a file."""
    if password is None:
        return LOCKED
    if not _CRYPT.fullmatch(password):
        raise MalformedInput(
            "the password of a node must be a salted crypt(3) hash such as $6$salt$…, never the password"
        )
    return password

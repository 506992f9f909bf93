"""A log that sshd writes into, line by line, as events; what cannot be read is kept and counted."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.soc.model import Event
from ringfence.soc.sources import sshd
from ringfence.soc.sources.lines import Tally
from ringfence.soc.sources.syslog import Frame, Frames

SKEW = timedelta(seconds=120)


@dataclass(slots=True)
class AuthLog(Tally):
    """Reads one log; holds what lines without a year need to know of their predecessors.

    Attributes:
        node: who reports, by the transport; None for a file whose lines name their hosts themselves.
    """

    node: str | None = None
    frames: Frames = field(default_factory=Frames)

    def read(self, line: str, received_at: datetime, uid: str = "") -> Event | None:
        """Return the event of a line, if it tells one.

        Args:
            line: the line, without its end.
            received_at: when it reached us, UTC.
            uid: identity of this delivery, so that a second delivery of the same line counts once; empty for none.
        """
        self.lines += 1
        frame = self.frames.parse(line)
        if frame is None:
            self.keep(line)
            return None
        if not frame.program:
            return self._bare(line, frame, received_at, uid)
        self.parsed += 1
        if frame.program not in sshd.PROGRAMS:
            self.foreign += 1
            return None
        said = sshd.read(frame.message)
        return self._event(line, frame, said, received_at, uid) if said else None

    def _bare(self, line: str, frame: Frame, received_at: datetime, uid: str) -> Event | None:
        """Read `TIME MESSAGE`, as our own nodes' logs are: sshd wrote all of it, so nothing needs to be told apart."""
        said = sshd.read(frame.message)
        if said is None and not frame.message.startswith(_KNOWN):
            self.keep(line)
            return None
        self.parsed += 1
        return self._event(line, frame, said, received_at, uid) if said else None

    def _event(self, line: str, frame: Frame, said: sshd.Said, received_at: datetime, uid: str) -> Event:
        fields: dict[str, object] = {
            "metadata.event_code": said.code,
            "status": "Success" if said.code == "accepted" else "Failure",
            "activity_name": "Logon",
            "user.name": said.user,
            "auth_protocol": said.method,
            "src_endpoint.uid": said.source,
            "src_endpoint.ip" if said.is_address else "src_endpoint.hostname": said.source,
            "src_endpoint.port": said.port,
            "device.hostname": self.node or frame.host,
            "process.pid": frame.pid,
        }
        if uid:
            fields["metadata.uid"] = uid
        if frame.at > received_at and frame.at - received_at > SKEW:
            fields["unmapped.skewed"] = True
        return Event(frame.at, received_at, "sshd", self.node, fields, line, said.times)


_KNOWN = (  # what sshd says beside logins: understood, and of no interest here
    *(
        "ringfence: ",
        "Connection ",
        "Disconnect",
        "Received ",
        "Server listening ",
        "User child is on pid ",
        "Starting session: ",
    ),
    *(
        "Close session: ",
        "Postponed ",
        "Partial ",
        "Changed root directory ",
        "session ",
        "subsystem request ",
        "Failed ",
    ),
    *(
        "error: ",
        "fatal: ",
        "debug",
        "Exiting ",
        "rexec ",
        "Transferred: ",
        "Deprecated option ",
        "Could not ",
        "userauth",
    ),
    *("input_userauth_request: ", "Authentication ", "Timeout before ", "refused connect ", "kex_exchange_", "Bad "),
    *(
        "sshd: ",
        "Environment variable ",
        "Certificate ",
        "Authenticated ",
        "Accepted ",
        "Invalid ",
        "PAM ",
        "pam_",
        "Set /",
    ),
    *("beginning MaxStartups ", "exited MaxStartups ", "drop connection ", "banner ", "ssh_dispatch", "Magic value "),
    *("srclimit_penalise: ", "penalty: ", "mm_", "Accepted key ", "Found matching ", "Close ", "revoked "),
)

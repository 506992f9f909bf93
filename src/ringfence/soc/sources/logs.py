"""The readers of every kind of log, by the name of what writes it."""

from ringfence.kernel.errors import UsageError
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.flow import FlowLog
from ringfence.soc.sources.gateway import GatewayLog
from ringfence.soc.sources.syslog import Frames

SOURCES = ("sshd", "flow", "gateway")


def log_of(source: str, node: str | None = None, frames: Frames | None = None) -> AuthLog | FlowLog | GatewayLog:
    """Return a reader of one log; raise `UsageError` for a source that is not known."""
    if source == "sshd":
        return AuthLog(node, frames or Frames())
    if source == "flow":
        return FlowLog()
    if source == "gateway":
        return GatewayLog()
    raise UsageError(f"there is no source {source[:40]!r}; known are {', '.join(SOURCES)}")

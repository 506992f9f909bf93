"""The folder in which tunnels end: the gateway's user may connect there, and nobody else."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ringfence.kernel.errors import Unavailable
from ringfence.storage.files import explained

FOLDER = "engines"
FOR_ALL = 0o755  # whoever may enter the gateway's folder; a umask may have asked for less


@dataclass(frozen=True, slots=True)
class GatewaySockets:
    """`ports.Sockets` below the gateway's folder.

    That folder belongs to the gateway's user, who could put a link where a socket was. So what is handed over is
    looked at without following links, and has to be a socket.
    """

    gateway: Path

    def path(self, key: str) -> Path:
        """Return the path of a socket, in a folder that is there."""
        folder = self.gateway / FOLDER
        with explained(folder, "create"):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        return folder / f"{key}.sock"

    def relative(self, key: str) -> str:
        """Return the same path as the gateway knows it: it works in its own folder."""
        return f"{FOLDER}/{key}.sock"

    def hand_over(self, key: str) -> None:
        """Let the gateway's user, and nobody else, connect."""
        name = f"{key}.sock"
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        with explained(self.gateway / FOLDER / name, "hand over"):
            folder = os.open(self.gateway / FOLDER, flags)
            try:
                os.fchmod(folder, FOR_ALL)
                if not stat.S_ISSOCK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise Unavailable("the end of the tunnel is not a socket any more")
                owner = self.gateway.stat()
                if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                    os.chown(name, owner.st_uid, owner.st_gid, dir_fd=folder, follow_symlinks=False)
            finally:
                os.close(folder)

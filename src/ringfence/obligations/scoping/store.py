"""The secret of a home that makes the names of systems opaque, so that each keeps its id from signing to signing."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from ringfence.kernel.commitment import SALT_SIZE
from ringfence.kernel.errors import MalformedInput
from ringfence.storage.files import read_private, write_whole

FILE = "descriptor.secret"


@dataclass(frozen=True, slots=True)
class DescriptorSecret:
    """The file that holds it."""

    home: Path

    def __call__(self) -> bytes:
        """Return the secret; make it once."""
        path = self.home / FILE
        if not path.exists():
            write_whole(path, secrets.token_bytes(SALT_SIZE), mode=0o600)
        secret = read_private(path)
        if len(secret) != SALT_SIZE:
            raise MalformedInput(f"{path} has {len(secret)} bytes, not {SALT_SIZE}; restore it from a backup")
        return secret

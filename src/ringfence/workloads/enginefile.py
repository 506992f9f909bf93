"""What is kept of each engine of ours beside its deployment: where it runs, and how it is reached and ended."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringfence.compute.model import NodeId, node_id
from ringfence.gateway.model import DeploymentName, deployment_name
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest, dumps, loads
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.files import PRIVATE, explained, read_private, write_whole

FOLDER = "engines"
LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine, or one on its way."""

    tenant: Tenant
    name: DeploymentName
    node: NodeId
    node_name: str
    made_node: bool  # its node was made for it, and goes with it
    port: int  # 0 while it is on its way
    pid: int
    protocol: str
    by: PersonId  # who started it; its tunnel is opened in this person's name
    role: Role

    @property
    def caller(self) -> Person:
        """Return in whose name it runs."""
        return Person(self.by, self.tenant, self.role)

    @property
    def key(self) -> str:
        """Return a short name of it for files: names and tenants can be long, and a socket's path cannot."""
        return Digest.of(f"{self.tenant}\n{self.name}".encode()).hex[:16]


def to_bytes(engine: Engine) -> bytes:
    """Print what is kept."""
    return dumps({**asdict(engine), "role": engine.role.value})


def parse(data: bytes, *, source: str) -> Engine:
    """Read what is kept; raise `MalformedInput`."""
    found = loads(data, source=source)
    if not isinstance(found, dict) or set(found) != set(Engine.__dataclass_fields__):
        raise MalformedInput("not the record of an engine", source=source)
    if not all(type(found[name]) is int and 0 <= found[name] < 2**22 for name in ("port", "pid")):
        raise MalformedInput("port and pid of an engine are numbers", source=source)
    texts = ("tenant", "node_name", "protocol", "by", "role")
    if not all(isinstance(found[name], str) for name in texts) or not isinstance(found["made_node"], bool):
        raise MalformedInput("not the record of an engine", source=source)
    return Engine(**_typed(found, source))


def _typed(found: dict[str, Any], source: str) -> dict[str, Any]:
    try:
        role = Role(found["role"])
    except ValueError as error:
        raise MalformedInput("an engine runs in the name of somebody with a role", source=source) from error
    return {**found, "role": role, "node": node_id(found["node"]), "name": deployment_name(found["name"])}


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """A file per engine below the home, for ourselves only."""

    directory: Path

    def put(self, engine: Engine) -> None:
        """Keep an engine."""
        with explained(self.directory, "create"):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path(engine), to_bytes(engine), mode=PRIVATE)

    def all(self) -> list[Engine]:
        """Return every engine."""
        if not self.directory.is_dir():
            return []
        with explained(self.directory, "read"):
            paths = sorted(self.directory.glob("*.json"))
        return [parse(read_private(path)[:LARGEST], source=str(path)) for path in paths]

    def drop(self, engine: Engine) -> None:
        """Forget an engine."""
        path = self._path(engine)
        with explained(path, "remove"):
            path.unlink(missing_ok=True)

    def _path(self, engine: Engine) -> Path:
        return self.directory / f"{engine.key}.json"

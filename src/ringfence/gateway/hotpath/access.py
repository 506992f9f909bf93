"""One line per request for detection, failed ones included: docs/specs/access.md. No text of anybody."""

import os
from collections.abc import Mapping
from contextlib import suppress
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ringfence.gateway.hotpath import reported
from ringfence.gateway.hotpath.asking import number
from ringfence.gateway.model import RequestId
from ringfence.kernel.errors import Unavailable

ROTATED_AT = 64 * 2**20
LONGEST_MODEL = 256  # characters


class Access:
    """What is known of a request so far; what is not yet known stands here, on the class."""

    tenant = ""
    key = ""  # empty: nobody we know
    route = ""
    deployment = ""
    model = ""  # as the caller wrote it
    status = 0  # 0: no answer was sent
    error = ""
    reported = reported.NOTHING
    asked: Mapping[str, Any] = MappingProxyType({})
    first_us = 0  # until the engine's first byte
    commitment = b""
    guard: tuple[str, ...] = ()
    bytes_in = 0
    bytes_out = 0

    def __init__(self, request: RequestId, source: str, began: int) -> None:
        self.request = request
        self.source = source
        self.began = began  # monotonic nanoseconds


def line(access: Access, at: str, total_us: int) -> bytes:
    """Print the line of a request that ended at `at`."""
    said, asked = access.reported, access.asked
    most = asked.get("max_completion_tokens", asked.get("max_tokens"))
    marks = ",".join([f'"{mark}"' for mark in access.guard]) if access.guard else ""
    return (
        f'{{"ts":"{at}","request":"{access.request}","tenant":"{access.tenant}","key":"{access.key}",'
        f'"source":"{access.source}","route":"{access.route}","deployment":"{access.deployment}",'
        f'"model":{quoted(access.model[:LONGEST_MODEL])},"status":{access.status},"error":"{access.error}",'
        f'"prompt_tokens":{"null" if said.prompt_tokens is None else said.prompt_tokens},'
        f'"completion_tokens":{"null" if said.completion_tokens is None else said.completion_tokens},'
        f'"max_tokens":{"null" if most is None else _number(most)},{_asked(asked)}'
        f'"finish_reason":"{said.finish_reason}","ttft_us":{access.first_us or "null"},"total_us":{total_us},'
        f'"request_commitment":"{access.commitment.hex()}","guard":[{marks}],'
        f'"bytes_in":{access.bytes_in},"bytes_out":{access.bytes_out}}}\n'
    ).encode()


_RARE = frozenset(("logprobs", "n", "temperature", "top_logprobs"))
_PLAIN = '"logprobs":false,"top_logprobs":null,"n":null,"temperature_milli":null,'


def _asked(asked: Mapping[str, object]) -> str:
    if _RARE.isdisjoint(asked):
        return _PLAIN
    log = asked.get("logprobs")
    logged = log is True or number(log) is not None  # `completions` asks for them by a number
    return (
        f'"logprobs":{"true" if logged else "false"},"top_logprobs":{_number(asked.get("top_logprobs"))},'
        f'"n":{_number(asked.get("n"))},"temperature_milli":{_number(asked.get("temperature"), scale=1000)},'
    )


def _number(value: object, *, scale: int = 1) -> str:
    found = number(value, scale=scale)
    return "null" if found is None else str(found)


class AccessFile:
    """Lines in a file that others follow; one full file beside it is kept."""

    def __init__(self, path: Path, *, rotated_at: int = ROTATED_AT) -> None:
        self._path = path
        self._rotated_at = rotated_at
        self._lines: list[bytes] = []
        self._broken = ""
        try:
            self.descriptor = self._open()
        except OSError as error:
            raise Unavailable(f"accesses cannot be recorded: {error.strerror}") from error

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)

    def write(self, line: bytes) -> None:
        """Take a line; it is in the file after the next `flush`."""
        if self._broken:
            raise Unavailable(self._broken)
        self._lines.append(line)

    def check(self) -> None:
        """Raise `Unavailable` where lines cannot be written."""
        if self._broken:
            raise Unavailable(self._broken)

    def flush(self) -> None:
        """Write what was taken; called a few times a second. What could not be written is written later."""
        if not self._lines and not self._broken:
            return
        data = b"".join(self._lines)
        try:
            written = os.write(self.descriptor, data)
        except OSError as error:
            written, self._broken = 0, f"accesses cannot be recorded: {error.strerror}"
        else:
            self._broken = "" if written == len(data) else "accesses cannot be recorded: the disk is full"
        self._lines = [data[written:]] if written < len(data) else []
        if not self._broken:
            self._rotate()

    def _rotate(self) -> None:
        try:
            if os.fstat(self.descriptor).st_size < self._rotated_at:
                return
            with suppress(FileNotFoundError):  # moved by somebody, or by us before the new one could be opened
                self._path.replace(self._path.with_suffix(".log.1"))
            new = self._open()
        except OSError as error:
            self._broken = f"accesses cannot be recorded: {error.strerror}"
            return
        os.close(self.descriptor)
        self.descriptor = new

    def close(self) -> None:
        """Write the rest."""
        self.flush()
        os.close(self.descriptor)

"""Paths that begin at a virtual machine are tried from its end of the cable; an answer of any kind means open."""

import struct
from collections.abc import Callable

import pytest

from ringfence.compute.model import ProbeResult
from ringfence.compute.providers import frames, wire
from ringfence.testing import emulator

GATEWAY = bytes.fromhex("02aabbccddee")
ADDRESS, PEER = "10.203.0.2", "10.203.0.6"
NODE_SIDE = ("node-to-peer", "established", "node-to-controller", "metadata", "ipv6")
UNTRIED = tuple(ProbeResult(path, "blocked", "not-tried: it cannot be entered", ok=False) for path in NODE_SIDE)


def network(*targets: str) -> Callable[[bytes], list[bytes]]:
    """Return a network in which only these targets answer, and the helper's end to questions for its address."""

    def answer(frame: bytes) -> list[bytes]:
        if frame[12:14] == struct.pack(">H", frames.ARP):
            head = struct.pack(">HHHBBH", frames.ARP, 1, frames.IPV4, 6, 4, frames.REPLY)
            return [frames.NODE + GATEWAY + head + GATEWAY + bytes([10, 203, 0, 1]) + frames.NODE + bytes(4)]
        if frame[12:14] == struct.pack(">H", frames.IPV6):
            return [_back6(frame)] if frames.link_local(GATEWAY) in targets else []
        target = ".".join(str(byte) for byte in frame[30:34])
        source = ".".join(str(byte) for byte in frame[26:30])
        theirs, ours = struct.unpack(">HH", frame[34:38])
        return [frames.segment(frames.Path(target, source, theirs, ours), frames.NODE)] if target in targets else []

    return answer


def _back6(frame: bytes) -> bytes:
    return frame[6:12] + frame[:6] + frame[12:22] + frame[38:54] + frame[22:38] + frame[54:]


def probed(tmp_path, *targets: str, rows: tuple[ProbeResult, ...] = UNTRIED) -> dict[str, ProbeResult]:
    with emulator.running(tmp_path / "monitor", network=network(*targets)):
        found = wire.completed(rows, tmp_path / "monitor", ADDRESS, [PEER])
    return {row.path: row for row in found}


def test_where_nothing_answers_every_path_is_blocked(tmp_path) -> None:
    found = probed(tmp_path)
    assert {row.observed for row in found.values()} == {"blocked"}
    assert all(row.ok for row in found.values())


@pytest.mark.parametrize(
    ("target", "paths"),
    [
        (PEER, {"node-to-peer", "established"}),
        (wire.CONTROL, {"node-to-controller"}),
        (wire.METADATA, {"metadata"}),
        (frames.link_local(GATEWAY), {"ipv6"}),
    ],
)
def test_a_path_that_answers_is_open(tmp_path, target: str, paths: set[str]) -> None:
    found = probed(tmp_path, target)
    assert {path for path, row in found.items() if row.observed == "open"} == paths
    assert {path for path, row in found.items() if not row.ok} == paths


def test_what_the_helper_tried_itself_stays(tmp_path) -> None:
    row = ProbeResult("peer-to-node", "blocked", "open", ok=False)
    lost = ProbeResult("forensic", "answers", "not-tried: gone", ok=False)
    assert set(probed(tmp_path, rows=(row, lost, *UNTRIED)).values()) >= {row, lost}


def test_a_cable_that_does_not_answer_proves_nothing(tmp_path) -> None:
    with emulator.running(tmp_path / "monitor"):
        found = wire.completed(UNTRIED, tmp_path / "monitor", ADDRESS, [PEER])
    assert not any(row.ok for row in found)
    assert {row.observed for row in found} == {"not-tried: the network's end of the cable does not answer"}


def test_a_machine_that_is_gone_proves_nothing(tmp_path) -> None:
    found = wire.completed(UNTRIED, tmp_path / "monitor", ADDRESS, [PEER])
    assert len(found) == len(UNTRIED)
    assert all(row.observed.startswith("not-tried: the emulator does not answer") and not row.ok for row in found)

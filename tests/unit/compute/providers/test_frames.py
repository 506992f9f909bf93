"""Frames that a probe sends in a node's name, and which frames count as an answer."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.providers import frames

GATEWAY = bytes.fromhex("02aabbccddee")
PATH = frames.Path("10.203.0.2", "10.203.0.6", 22, 49_200)


def reply(path: frames.Path, **changes: object) -> bytes:
    """Return what the target of a path would answer."""
    given_ = {"source": path.target, "target": path.source, "port": path.source_port, "source_port": path.port}
    return frames.segment(frames.Path(**{**given_, **changes}), frames.NODE)


def test_the_checksum_of_the_standard_s_example() -> None:
    assert frames.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D


@given(st.binary(max_size=64))
def test_data_with_its_own_checksum_sums_to_nothing(data: bytes) -> None:
    even = data + bytes(len(data) % 2)
    assert frames.checksum(even + struct.pack(">H", frames.checksum(even))) == 0


def test_a_segment_carries_valid_checksums() -> None:
    frame = frames.segment(PATH, GATEWAY)
    head, tcp = frame[14:34], frame[34:]
    pseudo = head[12:20] + struct.pack(">HH", 6, len(tcp))
    assert (frames.checksum(head), frames.checksum(pseudo + tcp)) == (0, 0)
    assert (frame[:6], frame[6:12]) == (GATEWAY, frames.NODE)


@pytest.mark.parametrize("flags", [frames.TCP_SYN, frames.TCP_PUSH_ACK])
def test_the_target_s_answer_counts(flags: int) -> None:
    path = frames.Path("10.203.0.2", "10.203.0.6", 22, 49_200, flags)
    assert frames.answers(reply(path), path)


@pytest.mark.parametrize(
    "changes", [{"source": "10.203.0.10"}, {"target": "10.203.0.3"}, {"port": 49_201}, {"source_port": 23}]
)
def test_somebody_else_s_answer_does_not(changes: dict[str, object]) -> None:
    assert not frames.answers(reply(PATH, **changes), PATH)


def test_what_the_node_itself_sends_is_no_answer() -> None:
    assert not frames.answers(frames.segment(PATH, GATEWAY), PATH)


def test_over_ipv6_whatever_the_gateway_sends_counts() -> None:
    six = frames.Path(frames.link_local(frames.NODE), frames.link_local(GATEWAY), 22, 49_204)
    assert frames.answers(reply(six), six)
    assert not frames.answers(reply(six), PATH)
    assert not frames.answers(reply(PATH), six)


@given(st.binary(max_size=80))
def test_no_frame_breaks_the_reader(frame: bytes) -> None:
    assert frames.answers(frame, PATH) is False
    assert frames.answered_by(frame, "10.203.0.1") == b""


def test_an_address_question_and_its_answer() -> None:
    question = frames.who_has("10.203.0.2", "10.203.0.1")
    assert question[:6] == b"\xff" * 6
    assert frames.answered_by(question, "10.203.0.1") == b""
    head = struct.pack(">HHHBBH", frames.ARP, 1, frames.IPV4, 6, 4, 2)
    body = GATEWAY + bytes([10, 203, 0, 1]) + frames.NODE + bytes([10, 203, 0, 2])
    assert frames.answered_by(frames.NODE + GATEWAY + head + body, "10.203.0.1") == GATEWAY
    assert frames.answered_by(frames.NODE + GATEWAY + head + body, "10.203.0.5") == b""


def test_the_link_local_address_of_a_card() -> None:
    assert frames.link_local(bytes.fromhex("525400123456")) == "fe80::5054:ff:fe12:3456"

"""No line makes the parser raise, and no user name moves the address."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.lines import MAX_LINE, LineReader, decoded, encoded
from ringfence.soc.sources.syslog import Calendar, Frames

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STRANGE = st.one_of(
    st.text(max_size=100),
    st.text(alphabet=" fromport12.:ssh2[]\\\"'\x1b\udcff", max_size=100),
    st.lists(
        st.sampled_from(
            [" from ", "10.0.0.9", " port 22", " ssh2", "user ", " [preauth]", ": RSA SHA256:x", "::1", "rhost="]
        ),
        max_size=14,
    ).map("".join),
).map(lambda text: text.replace("\n", "\\n"))
FORMS = (
    "Failed password for {} from 192.0.2.1 port 22022 ssh2",
    "Failed password for invalid user {} from 192.0.2.1 port 22022 ssh2",
    "Invalid user {} from 192.0.2.1 port 22022",
    "Connection closed by invalid user {} 192.0.2.1 port 22022 [preauth]",
    "Disconnected from authenticating user {} 192.0.2.1 port 22022 [preauth]",
    "error: maximum authentication attempts exceeded for invalid user {} from 192.0.2.1 port 22022 ssh2 [preauth]",
    "error: PAM: Authentication failure for illegal user {} from 192.0.2.1",
    "message repeated 2 times: [ Failed password for invalid user {} from 192.0.2.1 port 22022 ssh2]",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user={}",
)
FRAMES = (
    "2026-03-07T00:00:00.000Z {}",
    "Mar  7 00:00:00 a sshd[7]: {}",
    "<38>1 2026-03-07T00:00:00Z a sshd-session 7 - - {}",
)


@pytest.mark.parametrize("form", FORMS)
@given(STRANGE, st.sampled_from(FRAMES))
@example("x from 10.0.0.9 port 22 ssh2", FRAMES[0])
@example(" from 10.0.0.9", FRAMES[1])
def test_the_address_is_the_one_that_sshd_wrote(form: str, name: str, frame: str) -> None:
    event = AuthLog("n", Frames(Calendar(2026))).read(frame.format(form.format(name)), NOW)
    assert event is not None
    assert (event.fields["src_endpoint.ip"], event.node) == ("192.0.2.1", "n")


@given(st.binary(max_size=300), st.sampled_from([*(each.encode() for each in FRAMES), b"{}"]))
def test_nothing_raises_and_nothing_is_lost(junk: bytes, frame: bytes) -> None:
    log, reader = AuthLog(), LineReader()
    lines = list(reader.read([frame.replace(b"{}", junk)]))
    events = [log.read(line, NOW) for line in lines]
    assert (log.lines, len(events)) == (reader.lines, len(lines))
    assert b"\n".join(encoded(line) for line in lines) == frame.replace(b"{}", junk).removesuffix(b"\n")


@given(st.sampled_from(FORMS), st.integers(0, 120), st.integers(0, 255))
def test_a_flipped_byte_raises_nothing(form: str, at: int, byte: int) -> None:
    line = bytearray(FRAMES[1].format(form.format("root")).encode())
    line[at % len(line)] = byte
    log = AuthLog()
    log.read(decoded(bytes(line)), NOW)
    assert log.lines == 1


UNITS = (" from 1.1.1.1 port 1 ssh2", " from ", "message repeated 9 times: [ ", "[", ' [a b="', '\\"', "user ", " ID ",
         " CA ", "a:", " (serial 1) CA a", "ruser= rhost=a\t", "1", " ", "]", "<1>")  # fmt: skip
STARTS = ("", "Failed publickey for ", "Failed password for ", "Invalid user ", "pam_unix(sshd:auth): ",
          "Accepted publickey for a from 1.1.1.1 port 1 ssh2: RSA-CERT SHA256:a ID ", "message repeated 9 times: [ ",
          "PAM 2 more authentication failures; ", "Unable to negotiate with ",
          "pam_unix(sshd:auth): authentication failure; ")  # fmt: skip


def spent(line: str) -> float:
    """Return the least CPU time that reading a line took."""
    found = []
    for _repeat in range(3):
        start = time.process_time()
        AuthLog().read(line, NOW)
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("frame", FRAMES)
def test_time_grows_with_the_length_of_a_hostile_line_and_not_with_its_square(frame: str, unit: str) -> None:
    """Eight times the length: 8 is linear, 64 the square. No duration is asserted; 32 leaves room for a busy machine.

    Lines are cut at 8 KiB, and a linear parser needs less than a millisecond for those.
    """
    for start in STARTS:
        line, longer = (frame.format(start + unit * (size // len(unit))) for size in (MAX_LINE, 8 * MAX_LINE))
        assert spent(longer) < 32 * max(spent(line), 1e-5)


@given(st.lists(st.binary(max_size=20), max_size=12), st.integers(1, 7))
def test_chunks_do_not_matter(parts: list[bytes], size: int) -> None:
    whole = b"\n".join(parts)
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert list(LineReader().read(chunks)) == list(LineReader().read([whole]))

import json
import os

import pytest

from ringfence.gateway.hotpath import access
from ringfence.gateway.hotpath.access import Access, AccessFile, line
from ringfence.gateway.hotpath.reported import Reported
from ringfence.gateway.model import RequestId
from ringfence.kernel.errors import Unavailable

AT = "2026-11-22T09:00:00.000Z"
FIELDS = {
    "ts", "request", "tenant", "key", "source", "route", "deployment", "model", "status", "error", "prompt_tokens",
    "completion_tokens", "max_tokens", "logprobs", "top_logprobs", "n", "temperature_milli", "finish_reason", "ttft_us",
    "total_us", "request_commitment", "guard", "bytes_in", "bytes_out",
}  # fmt: skip


def made(**facts):
    found = Access(RequestId("req-" + "0" * 32), "192.0.2.1", 0)
    for name, value in facts.items():
        setattr(found, name, value)
    return found


def test_a_refused_request_has_every_field():
    told = json.loads(line(made(status=401, error="invalid_api_key"), AT, 12))
    assert told.keys() == FIELDS
    assert (told["ts"], told["total_us"], told["ttft_us"], told["guard"], told["prompt_tokens"]) == (
        AT,
        12,
        None,
        [],
        None,
    )


def test_what_was_asked_and_reported():
    asked = {"max_tokens": 64, "temperature": 0.7, "n": 2, "logprobs": True, "top_logprobs": 5}
    told = json.loads(
        line(made(asked=asked, reported=Reported(7, 5, "stop"), guard=("override.en",), first_us=3), AT, 9)
    )
    assert told["max_tokens"] == 64
    assert (told["temperature_milli"], told["n"], told["logprobs"], told["top_logprobs"]) == (700, 2, True, 5)
    assert (told["prompt_tokens"], told["completion_tokens"], told["finish_reason"]) == (7, 5, "stop")
    assert (told["guard"], told["ttft_us"]) == (["override.en"], 3)


@pytest.mark.parametrize("value", ["x", [1], {"a": 1}, True, 1e999, -(10**30)])
def test_strange_values_are_no_numbers(value):
    told = json.loads(line(made(asked={"max_tokens": value, "n": value, "temperature": value}), AT, 0))
    assert (told["max_tokens"], told["n"], told["temperature_milli"]) == (None, None, None)


@pytest.mark.parametrize("model", ['a"\n{"key":"k-forged"}\n', "\u2028\x00", "x" * 10_000, "\ud800"])
def test_a_strangers_text_stays_one_short_escaped_value(model):
    printed = line(made(model=model), AT, 0)
    assert printed.count(b"\n") == 1
    assert len(printed) < 8192
    assert json.loads(printed)["model"] == model[:256]


def test_lines_are_written_together(tmp_path):
    file = AccessFile(tmp_path / "access.log")
    file.write(b"a\n")
    file.write(b"b\n")
    file.flush()
    file.close()
    assert (tmp_path / "access.log").read_bytes() == b"a\nb\n"
    assert not (tmp_path / "access.log").stat().st_mode & 0o137


def test_a_full_file_is_moved_aside(tmp_path):
    file = AccessFile(tmp_path / "access.log", rotated_at=4)
    for text in (b"aaaa\n", b"b\n"):
        file.write(text)
        file.flush()
    file.close()
    assert (tmp_path / "access.log.1").read_bytes() == b"aaaa\n"
    assert (tmp_path / "access.log").read_bytes() == b"b\n"


def test_a_disk_that_refuses_is_known_and_may_recover(tmp_path):
    full = AccessFile(tmp_path / "access.log")
    good, bad = os.dup(full.descriptor), os.open("/dev/full", os.O_WRONLY)
    os.dup2(bad, full.descriptor)
    full.write(b"a\n")
    full.flush()
    with pytest.raises(Unavailable, match="accesses cannot be recorded"):
        full.check()
    with pytest.raises(Unavailable):
        full.write(b"b\n")
    os.dup2(good, full.descriptor)
    full.flush()
    full.check()
    full.close()
    os.close(good)
    os.close(bad)
    assert (tmp_path / "access.log").read_bytes() == b"a\n"


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "access.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        AccessFile(tmp_path / "access.log")
    assert access.ROTATED_AT == 64 * 2**20


def test_a_full_file_that_somebody_moved_is_begun_again(tmp_path):
    file = AccessFile(tmp_path / "access.log", rotated_at=4)
    (tmp_path / "access.log").rename(tmp_path / "elsewhere")
    file.write(b"aaaa\n")
    file.flush()
    file.check()
    file.close()
    assert (tmp_path / "access.log").read_bytes() == b""

"""The processor's own virtualisation is used only where a guest has booted with it since the host did."""

import json
import os
import time

import pytest

from ringfence import components
from ringfence.compute.providers import kvm

needs_emulator = pytest.mark.skipif(not components.present("qemu-system-x86_64"), reason="no emulator here")


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "kvm"
    path.touch()
    return path


def test_without_the_device_machines_are_emulated(tmp_path) -> None:
    assert kvm.cached(tmp_path, device=tmp_path / "kvm") == "tcg"


@needs_emulator
@pytest.mark.parametrize("found", ["kvm", "tcg"])
def test_what_was_found_since_the_boot_is_kept(tmp_path, device, found: str) -> None:
    (tmp_path / kvm.RESULT).write_text(json.dumps({"subject": kvm._subject(), "acceleration": found}))
    (tmp_path / kvm.RESULT).chmod(0o600)
    assert kvm.cached(tmp_path, device=device) == found


@needs_emulator
@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}",
        '{"subject": "another boot", "acceleration": "kvm"}',
        '{"subject": null, "acceleration": "kvm"}',
    ],
)  # fmt: skip
def test_another_boot_s_or_a_spoilt_result_counts_for_nothing(tmp_path, device, text: str) -> None:
    (tmp_path / kvm.RESULT).write_text(text)
    assert kvm.cached(tmp_path, device=device) == ""


@needs_emulator
def test_only_the_two_answers_are_believed(tmp_path, device) -> None:
    (tmp_path / kvm.RESULT).write_text(json.dumps({"subject": kvm._subject(), "acceleration": "magic"}))
    assert kvm.cached(tmp_path, device=device) == ""


@pytest.mark.parametrize(
    ("said", "heard"), [(b"...ringfence-guest-lives\n", True), (b"panic", False), (b"", False), (b"ringfence", False)]
)
def test_only_the_guest_s_word_counts(said: bytes, heard: bool) -> None:
    reading, writing = os.pipe()
    os.write(writing, said)
    os.close(writing)
    try:
        assert kvm._hears(reading, time.monotonic() + 5) is heard
    finally:
        os.close(reading)


def test_a_silent_guest_is_not_waited_for_beyond_its_time() -> None:
    reading, writing = os.pipe()
    try:
        assert kvm._hears(reading, time.monotonic() + 0.05) is False
    finally:
        os.close(reading)
        os.close(writing)

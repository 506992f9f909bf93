import hashlib

import pytest

from ringfence.attestation import ima
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import SoftTpm, booted, measured

FILES = {"/usr/bin/a": b"a", "/usr/bin/b": b"b"}
ALLOWED = {path: frozenset({"sha256:" + hashlib.sha256(data).hexdigest()}) for path, data in FILES.items()}


@pytest.fixture
def machine():
    tpm = SoftTpm()
    tpm.boots(booted())
    return tpm


def test_the_list_of_a_real_boot_gives_pcr_10():
    real = samples.machine()
    entries = ima.parse(real["ima"])
    assert ima.covered(entries, real["pcrs"][10]) == 1
    ima.check_aggregate(entries, real["pcrs"])


def test_a_list_is_replayed_and_allowed(machine):
    entries = ima.parse(measured(FILES, machine))
    assert [entry.path for entry in entries] == ["boot_aggregate", *FILES]
    assert ima.covered(entries, machine.pcrs[10]) == 3
    ima.check_aggregate(entries, machine.pcrs)
    ima.check_allowed(entries, ALLOWED)


def test_what_was_measured_after_the_quote_is_not_covered(machine):
    listed = measured(FILES, machine)
    quoted = machine.pcrs[10]
    later = SoftTpm()
    grown = listed + measured({"/evil": b"evil"}, later)[len(measured({}, SoftTpm())) :]
    assert ima.covered(ima.parse(grown), quoted) == 3


def test_a_list_that_lacks_swaps_or_invents_entries_is_refused(machine):
    lines = measured(FILES, machine).splitlines(keepends=True)
    for wrong in (lines[:-1], [lines[0], lines[2], lines[1]], [*lines[:2], lines[1], lines[2]], []):
        with pytest.raises(VerificationFailed, match="PCR 10"):
            ima.covered(ima.parse(b"".join(wrong)), machine.pcrs[10])


def test_a_list_of_another_boot_is_refused(machine):
    entries = ima.parse(measured(FILES, machine))
    with pytest.raises(VerificationFailed, match="boot_aggregate"):
        ima.check_aggregate(entries, machine.pcrs | {4: bytes(32)})
    with pytest.raises(VerificationFailed, match="boot_aggregate"):
        ima.check_aggregate(entries, {10: machine.pcrs[10]})
    with pytest.raises(VerificationFailed, match="begin"):
        ima.check_aggregate(entries[1:], machine.pcrs)


def test_files_outside_the_allow_list_and_violations_are_refused(machine):
    entries = ima.parse(measured(FILES, machine))
    with pytest.raises(VerificationFailed, match="/usr/bin/b"):
        ima.check_allowed(entries, {"/usr/bin/a": ALLOWED["/usr/bin/a"]})
    with pytest.raises(VerificationFailed, match="allow-list"):
        ima.check_allowed(entries, {"/usr/bin/a": ALLOWED["/usr/bin/b"], "/usr/bin/b": ALLOWED["/usr/bin/b"]})
    violation = ima.parse(f"10 {'0' * 40} ima-ng sha256:{'0' * 64} /var/log/x\n".encode())
    assert violation[0].extension == b"\xff" * 32
    with pytest.raises(VerificationFailed, match="open for writing"):
        ima.check_allowed(violation, {"/var/log/x": frozenset({violation[0].digest})})
    with pytest.raises(VerificationFailed, match="twice"):
        ima.check_allowed([entries[0], *entries], ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"11 " + b"0" * 40 + b" ima-ng sha256:" + b"0" * 64 + b" /x",
        b"10 " + b"0" * 40 + b" ima sha256:" + b"0" * 64 + b" /x",
        b"10 " + b"0" * 40 + b" ima-ng md5:" + b"0" * 32 + b" /x",
        b"10 " + b"0" * 40 + b" ima-ng sha256:" + b"0" * 64 + b" /x y",
        b"10 " + b"1" * 40 + b" ima-ng sha256:" + b"0" * 64 + b" /x",  # not the digest of its fields
        b"10 " + b"0" * 40 + b" ima-sig sha256:" + b"0" * 64 + b" /x",  # no room for a signature
    ],
)
def test_lines_have_one_form(line):
    with pytest.raises(MalformedInput, match="IMA list"):
        ima.parse(line + b"\n")


def test_a_list_ends_with_a_line():
    with pytest.raises(MalformedInput):
        ima.parse(b"10 x")

import pytest

from ringfence.attestation import certificates, snp_report
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import Authority, private_key
from ringfence.testing.confidential import CHIP, MEASUREMENT, TCB, SnpChip

REPORT = samples.read("snp/milan-report-v2.bin")
VCEK = certificates.parse(samples.read("snp/milan-vcek.der"))


def test_the_published_report_says_what_it_is_known_to_say():
    report = snp_report.parse(REPORT)
    assert (report.version, report.vmpl, report.policy, report.key) == (2, 0, 0xB0000, snp_report.VCEK)
    assert report.policy & snp_report.DEBUG
    assert report.report_data == bytes.fromhex("0102030405").ljust(64, b"\0")
    assert report.measurement == samples.SNP_MEASUREMENT
    assert snp_report.is_signed(report, VCEK.spki)
    assert snp_report.product(VCEK) == "Milan"
    assert snp_report.hardware_id(VCEK) == report.chip
    parts = {"bootLoader": 2, "tee": 0, "snp": 5, "microcode": 68}
    assert snp_report.parts(report.reported_tcb, "Milan") == snp_report.certified_parts(VCEK) == parts
    assert snp_report.provider(VCEK) == ""


def test_what_we_make_is_read_back():
    for version in (2, 3):
        chip = SnpChip()
        report = snp_report.parse(chip.report(b"data", version=version, vmpl=2))
        assert (report.version, report.vmpl, report.chip, report.measurement) == (version, 2, CHIP, MEASUREMENT)
        assert {report.current_tcb, report.reported_tcb, report.committed_tcb, report.launch_tcb} == {TCB}
        assert snp_report.is_signed(report, certificates.parse(chip.certificate).spki)
    provider = certificates.parse(SnpChip(provider="example.eu").certificate)
    assert snp_report.provider(provider) == "example.eu"
    assert snp_report.hardware_id(provider) == b""


def test_numbers_of_the_signature_are_little_endian():
    chip = SnpChip()
    wrong = snp_report.parse(chip.report(b"data", order="big"))
    assert not snp_report.is_signed(wrong, certificates.parse(chip.certificate).spki)


def test_the_parts_of_turin_lie_elsewhere():
    assert snp_report.parts(bytes((9, 1, 2, 3, 0, 0, 0, 8)), "Turin") == {
        "fmc": 9, "bootLoader": 1, "tee": 2, "snp": 3, "microcode": 8,
    }  # fmt: skip


def test_a_report_is_read_whole_or_not_at_all():
    for size in range(len(REPORT)):
        with pytest.raises(MalformedInput):
            snp_report.parse(REPORT[:size])
    for wrong in (
        REPORT + b"\0",
        b"\x04" + REPORT[1:],
        REPORT[:0x34] + b"\x02" + REPORT[0x35:],
        REPORT[:-1] + b"\x01",
    ):
        with pytest.raises(MalformedInput):
            snp_report.parse(wrong)


def test_every_flipped_bit_of_what_is_signed_is_seen():
    for place in range(snp_report.SIGNED):
        broken = bytearray(REPORT)
        broken[place] ^= 1 << place % 8
        try:
            report = snp_report.parse(bytes(broken))
        except MalformedInput:
            continue
        assert not snp_report.is_signed(report, VCEK.spki), place


def test_a_short_name_of_a_chip_is_filled_with_zeros():
    for value, name in ((b"c" * 64, b"c" * 64), (b"c" * 8, b"c" * 8 + bytes(56)), (b"\x04\x02ab", b"ab")):
        der = Authority.root().certify("SEV-VCEK", private_key(3), extensions={"1.3.6.1.4.1.3704.1.4": value})
        assert snp_report.hardware_id(certificates.parse(der)) == name

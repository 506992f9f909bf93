import pytest

from ringfence.attestation import certificates, spdm
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples

REPORT = samples.gpu().report
LEAF = certificates.parse(samples.gpu().chain[0])


def test_the_published_report_says_what_it_is_known_to_say():
    measured = spdm.parse(REPORT)
    assert spdm.is_signed(measured, LEAF.spki)
    assert measured.nonce == samples.GPU_NONCE.digest
    assert len(measured.measurements) == 64
    # As Trustee's own claims for this report have it.
    assert measured.driver == "550.90.07"
    assert measured.vbios == "96.00.9f.00.01"
    assert measured.fwid.hex().startswith("f5c384aebb579217a2c66b17ed0f28e6a9b8d639041acd7b4721cec004f72754")
    assert measured.measurements[2].hex().startswith("8048dfd18fe229bf16eb9d30cca0f11a24dafe6e")
    assert measured.measurements[1] == bytes(48)
    assert measured.after == 0


@pytest.mark.parametrize("after", [b"\0", b"\0" * 13, b"anything"])
def test_the_signature_is_where_the_lengths_say(after):
    measured = spdm.parse(REPORT + after)
    assert spdm.is_signed(measured, LEAF.spki)
    assert measured.after == len(after)


def test_a_report_is_read_whole_or_not_at_all():
    for size in range(len(REPORT)):
        with pytest.raises(MalformedInput):
            spdm.parse(REPORT[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\x12" + data[1:],
        lambda data: data[:2] + b"\x00" + data[3:],  # asked for unsigned
        lambda data: data[:38] + b"\x61" + data[39:],  # another answer
        lambda data: data[:41] + b"\x3f" + data[42:],  # one measurement fewer than the record holds
        lambda data: data[:45] + b"\x02" + data[46:],  # an index twice
        lambda _: bytes(70_000),
    ],
)
def test_what_is_no_report(change):
    with pytest.raises(MalformedInput):
        spdm.parse(change(REPORT))


def test_every_flipped_bit_is_seen():
    for place in range(0, len(REPORT), 5):
        broken = bytearray(REPORT)
        broken[place] ^= 1 << place % 8
        try:
            measured = spdm.parse(bytes(broken))
        except MalformedInput:
            continue
        assert not spdm.is_signed(measured, LEAF.spki), place

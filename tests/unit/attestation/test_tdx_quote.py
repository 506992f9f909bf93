import pytest

from ringfence.attestation import certificates, tdx_quote
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.confidential import FMSPC, MEASUREMENT, TdxPlatform

QUOTE = samples.tdx().quote
PLATFORM = TdxPlatform()


def pck(quote):
    return certificates.parse(quote.chain[0])


def test_the_published_quote_says_what_it_is_known_to_say():
    quote = tdx_quote.parse(QUOTE)
    assert tdx_quote.is_signed(quote, pck(quote)) == ""
    assert quote.mrtd == samples.MRTD
    assert not quote.attributes & tdx_quote.DEBUG
    assert (quote.version, quote.after, len(quote.chain)) == (4, 39, 3)
    platform = tdx_quote.platform(pck(quote))
    assert (platform.fmspc, platform.pce, platform.pce_version) == ("50806f000000", "0000", 11)
    assert platform.components == (3, 3, 2, 2, 2, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("version", [4, 5])
def test_both_versions_are_read(version):
    quote = tdx_quote.parse(PLATFORM.quote(b"data", version=version))
    assert tdx_quote.is_signed(quote, pck(quote)) == ""
    assert (quote.version, quote.mrtd, quote.report_data) == (version, MEASUREMENT, b"data".ljust(64, b"\0"))
    assert [value[0] for value in quote.rtmrs] == [0, 1, 2, 3]
    assert tdx_quote.platform(pck(quote)).fmspc == FMSPC.hex()


def test_a_quote_is_read_whole_or_not_at_all():
    whole = QUOTE[: len(QUOTE) - 39]
    assert tdx_quote.parse(whole).after == 0
    for size in range(len(whole)):
        with pytest.raises(MalformedInput):
            tdx_quote.parse(whole[:size])
    five = PLATFORM.quote(b"data", version=5)
    for size in range(0, len(five), 3):
        with pytest.raises(MalformedInput):
            tdx_quote.parse(five[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\x03" + data[1:],  # of SGX
        lambda data: data[:2] + b"\x03" + data[3:],  # another kind of key
        lambda data: data[:4] + b"\x00" + data[5:],  # another TEE
        lambda data: data[:12] + bytes(16) + data[28:],  # another maker
        lambda data: b"\x05" + data[1:],  # no descriptor of the body
        lambda data: data.replace(b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATF-----", 1),
        lambda _: bytes(70_000),
    ],
)
def test_what_is_no_quote(change):
    with pytest.raises(MalformedInput):
        tdx_quote.parse(change(QUOTE))


def test_every_flipped_bit_of_what_is_signed_is_seen():
    for place in (*range(632), *range(636, 636 + 128 + 6 + 450)):
        broken = bytearray(QUOTE)
        broken[place] ^= 1 << place % 8
        try:
            quote = tdx_quote.parse(bytes(broken))
        except MalformedInput:
            continue
        assert tdx_quote.is_signed(quote, pck(quote)), place


def test_each_link_is_looked_at():
    quote = tdx_quote.parse(PLATFORM.quote(b"data"))
    other = certificates.parse(TdxPlatform(components=(9,) * 16).issuer.certificate)
    assert "PCK key" in tdx_quote.is_signed(quote, other)
    data = PLATFORM.quote(b"data")
    place = data.index(quote.enclave_data, 1200)
    assert "another attestation key" in tdx_quote.is_signed(
        tdx_quote.parse(data[:place] + b"auto" + data[place + 4 :]), pck(quote)
    )


def test_a_certificate_that_names_no_platform():
    with pytest.raises(MalformedInput, match="names no platform"):
        tdx_quote.platform(certificates.parse(PLATFORM.issuer.certificate))

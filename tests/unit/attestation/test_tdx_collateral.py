from datetime import timedelta

import pytest

from ringfence.attestation import certificates, tdx_collateral, tdx_quote
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT
from ringfence.testing.confidential import TdxPlatform

PLATFORM = TdxPlatform()
QUOTE = tdx_quote.parse(PLATFORM.quote(b"data"))
OF = tdx_quote.platform(certificates.parse(PLATFORM.pck))
SIGNER = certificates.parse(PLATFORM.signer).spki


def info(**given):
    return tdx_collateral.parse(PLATFORM.tcb_info(**given), "tcbInfo")


def identity(**given):
    return tdx_collateral.parse(PLATFORM.identity(**given), "enclaveIdentity")


def test_the_published_collateral_is_expired_and_knows_no_level_so_low():
    answer = tdx_collateral.parse(samples.read("tdx/tcbinfo-sample.json"), "tcbInfo")
    assert (answer.issued.year, answer.following.month) == (2023, 7)
    with pytest.raises(VerificationFailed, match=r"not signed|holds from"):
        tdx_collateral.check(answer, SIGNER, AT)
    quote = tdx_quote.parse(samples.tdx().quote)
    with pytest.raises(VerificationFailed, match="no TCB level as low"):
        tdx_collateral.platform_statuses(answer, tdx_quote.platform(certificates.parse(quote.chain[0])), quote)


def test_an_answer_counts_in_its_time_by_its_signer():
    tdx_collateral.check(info(), SIGNER, AT)
    for answer, key, at in (
        (info(until=-timedelta(days=1)), SIGNER, AT),
        (info(), SIGNER, AT - timedelta(days=50)),
        (info(), certificates.parse(PLATFORM.pck).spki, AT),
    ):
        with pytest.raises(VerificationFailed):
            tdx_collateral.check(answer, key, at)


def test_one_changed_byte_is_seen():
    data = PLATFORM.tcb_info().replace(b'"UpToDate"}]', b'"Upt0Date"}]')
    with pytest.raises(VerificationFailed, match="not signed"):
        tdx_collateral.check(tdx_collateral.parse(data, "tcbInfo"), SIGNER, AT)


@pytest.mark.parametrize("status", tdx_collateral.STATUSES)
def test_the_status_is_that_of_the_first_level_reached(status):
    assert tdx_collateral.platform_statuses(info(status=status), OF, QUOTE) == (status, "UpToDate")
    assert tdx_collateral.enclave_status(identity(status=status), QUOTE.enclave) == status


def test_it_has_to_be_about_this_kind_of_platform():
    with pytest.raises(VerificationFailed, match="is for platforms"):
        tdx_collateral.platform_statuses(info(fmspc=bytes(6)), OF, QUOTE)


def test_a_module_that_is_not_known_has_no_status():
    newer = tdx_quote.parse(PLATFORM.quote(b"data", tcb=bytes((3, 1, 5))))
    with pytest.raises(VerificationFailed, match="TDX_01"):
        tdx_collateral.platform_statuses(info(), OF, newer)


def test_another_enclave_or_an_older_one_is_refused():
    with pytest.raises(VerificationFailed, match="not the one"):
        tdx_collateral.enclave_status(identity(signer=b"x" * 32), QUOTE.enclave)
    with pytest.raises(MalformedInput):
        tdx_collateral.enclave_status(info(), QUOTE.enclave)
    with pytest.raises(MalformedInput):
        tdx_collateral.platform_statuses(identity(), OF, QUOTE)


def test_the_worst_counts():
    assert tdx_collateral.worst("UpToDate", "OutOfDate", "SWHardeningNeeded") == "OutOfDate"
    assert tdx_collateral.worst() == "UpToDate"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b" " + data,
        lambda data: data.replace(b"tcbInfo", b"tcbinfo"),
        lambda data: data.replace(b'"issueDate"', b'"issuedate"'),
        lambda data: data.replace(b'Z","nextUpdate', b'+01:00","nextUpdate'),
        lambda data: data.replace(b'"tcbEvaluationDataNumber":18', b'"tcbEvaluationDataNumber":1.5'),
        lambda data: data[:-3],
        lambda _: b"{}",
        lambda _: bytes(300_000),
    ],
)
def test_an_answer_has_one_form(change):
    with pytest.raises(MalformedInput):
        tdx_collateral.parse(change(PLATFORM.tcb_info()), "tcbInfo")


def test_a_module_of_its_own_version_has_a_status_of_its_own():
    known = info(module="OutOfDate")
    for svn, status in ((9, "UpToDate"), (3, "OutOfDate")):
        quote = tdx_quote.parse(PLATFORM.quote(b"data", tcb=bytes((svn, 1, 5))))
        assert tdx_collateral.platform_statuses(known, OF, quote) == ("UpToDate", status)
    for tcb, answer, why in (
        ((2, 1, 5), known, "TDX_01 in this version"),
        ((9, 2, 5), known, "TDX_02"),
        ((9, 1, 5), info(module="UpToDate", signer=b"x" * 48), "signed by another key"),
    ):
        with pytest.raises(VerificationFailed, match=why):
            tdx_collateral.platform_statuses(answer, OF, tdx_quote.parse(PLATFORM.quote(b"data", tcb=bytes(tcb))))

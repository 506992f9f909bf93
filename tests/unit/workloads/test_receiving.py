import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.enrolment import service_enrolled
from ringfence.gateway import segment
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.initialise import append_by_root
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, VerificationFailed
from ringfence.kernel.statement import Draft, Issuance, KeyRole, Strength, Subject
from ringfence.ledger import trust
from ringfence.ledger.issuers import REVOKED
from ringfence.reports.receipts import verify
from ringfence.storage import keyfile
from ringfence.storage.files import read_bounded
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing import receipts
from ringfence.testing.home import TENANT
from ringfence.workloads.receiving import check_folder


@pytest.fixture
def gateway_key(services):
    return Ed25519Signer.from_seed(services.home.gateway_keys(None).secret("gateway"))


@pytest.fixture
def recorded(services, gateway_key, clock):
    """Write answers through a real journal in the installation's gateway folder."""
    folder = services.home.path / "gateway"
    made = receipts.closer(folder, key=gateway_key, clock=clock)
    closer = replace(made, log=services.home.log, demo_tenants=services.demo_tenants)

    def work(*numbers):
        async def main():
            folder.mkdir(exist_ok=True)
            journal = open_journal(folder, closer)
            await receipts.answered(journal, numbers, tenant=TENANT)
            await asyncio.to_thread(journal.close)

        asyncio.run(main())

    return work


def trusted(services):
    return trust.parse(read_bounded(services.home.path / "trust.json"))


def test_an_answer_becomes_a_receipt_that_a_stranger_can_check(services, recorded):
    recorded(1, 2, 3)
    with pytest.raises(NotFound):
        services.receiving.receipts.find(TENANT, receipts.request(9))
    assert services.receiving.receipts.find(TENANT, receipts.request(2)).retry_after
    services.receiving.intake()
    found = services.receiving.receipts.find(TENANT, receipts.request(2))
    outcome = verify(found.body, trusted(services), request=receipts.asked(2), response=b"".join(receipts.EVENTS))
    assert outcome.ok, outcome.failures
    logged = services.ledger.statements(TENANT, (segment.SEGMENT,))
    assert [segment.read(one.envelope.statement).records for one in logged] == [3]


def test_people_read_receipts_and_see_how_far_segments_have_come(services, recorded, home):
    with home.http(services) as client:
        assert client.get("/api/v1/segments").json() == {"admitted": 0, "proven": 0, "refused": ""}
        recorded(1)
        path = f"/api/v1/receipts/{receipts.request(1)}"
        waiting = client.get(path)
        assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "2")
        services.receiving.intake()
        assert client.get(path).json()["format"] == "urn:ringfence:receipt:v1"
        assert client.get("/api/v1/segments").json() == {"admitted": 1, "proven": 1, "refused": ""}
        assert client.get(f"/api/v1/receipts/{receipts.request(2)}").status_code == 404
        assert client.get("/api/v1/receipts/req-1").status_code == 422


def test_taking_a_segment_again_takes_it_once(services, recorded):
    recorded(1)
    services.receiving.intake()
    services.receiving.intake.progress.clear()
    services.receiving.receipts.files._proofs(TENANT).joinpath("00000001.json").unlink()
    services.receiving.intake()
    assert len(services.ledger.statements(TENANT, (segment.SEGMENT,))) == 1


def closing(services, key, number=1, *, predicate=segment.SEGMENT, **changes):
    _, made = receipts.closing_of([receipts.record(number)], number=number, before=number - 1)
    issuance = Issuance(
        tenant=TENANT,
        log=services.home.log,
        issuer=key.key,
        strength=Strength.OBSERVED,
        sequence=number,
        nonce="00" * 16,
        idempotency_key=segment.idempotency_key(number),
        issued_at=services.clock.now(),
    )
    return key.sign(replace(segment.state(made, replace(issuance, **changes)), predicate=predicate))


@pytest.fixture
def admit(services):
    return services.receiving.intake.admit


def test_only_an_enrolled_gateway_closes_segments(services, admit, gateway_key):
    with pytest.raises(Refused, match="unknown"):
        admit(closing(services, receipts.signer(77)))
    emergency = Ed25519Signer.from_seed(services.home.service_keys(None).secret("emergency"))
    with pytest.raises(Refused, match="role emergency"):
        admit(closing(services, emergency))
    with pytest.raises(Refused, match=r"does not state dataset\.sealed"):
        admit(closing(services, gateway_key, predicate="dataset.sealed"))
    assert admit(closing(services, gateway_key)).sequence == 1


def test_a_forged_signature_is_refused(services, admit, gateway_key):
    envelope = closing(services, gateway_key)
    with pytest.raises(VerificationFailed, match="signature"):
        admit(replace(envelope, signature=bytes(64)))


def test_a_revoked_key_closes_no_more(services, admit, gateway_key, clock):
    claims = {"keyId": gateway_key.key, "reason": "compromised", "at": to_text(clock.now())}
    subject = Subject(f"key/{gateway_key.key[:16]}", Digest.parse(gateway_key.key))
    with services.ledger.publishable():
        services.outbox.record(Draft(REVOKED, (subject,), claims, Strength.DOCUMENTED), tenant=TENANT)
    services.ledger.integrate()
    with pytest.raises(Refused, match="revoked"):
        admit(closing(services, gateway_key))


def test_a_segment_out_of_its_order_is_refused(services, admit, gateway_key):
    with pytest.raises(Conflict, match="sequence 1, not 2"):
        admit(closing(services, gateway_key, 2))


def test_a_segment_that_waited_for_days_is_taken_and_one_from_the_future_is_not(services, admit, gateway_key, clock):
    with pytest.raises(Refused, match="dated"):
        admit(closing(services, gateway_key, issued_at=clock.now() + timedelta(hours=1)))
    assert admit(closing(services, gateway_key, issued_at=clock.now() - timedelta(days=9))).sequence == 1


def test_a_demo_segment_stays_out_of_a_real_tenant(services, admit, gateway_key):
    with pytest.raises(Refused, match="demo"):
        admit(closing(services, gateway_key, demo=True))


def test_a_folder_older_than_the_log_is_refused_and_a_new_key_begins_anew(services, recorded, admit, gateway_key):
    recorded(1)
    services.receiving.intake()
    for name in ("journal", "closed", "proofs", "index"):
        shutil.rmtree(services.home.path / "gateway" / name)
    services.receiving.intake.progress.clear()
    recorded(2)
    with pytest.raises(VerificationFailed, match="two were signed"):
        services.receiving.intake()
    fresh = receipts.signer(55)
    enrol(services, fresh)
    assert admit(closing(services, fresh)).sequence == 1
    assert admit(closing(services, gateway_key, 2)).sequence == 2


def enrol(services, key):
    root = Ed25519Signer.from_seed(keyfile.load(services.home.root_path, None).secret("root"))
    made = keyfile.KeyFile("file-plain", {"gateway": key.private.private_bytes_raw()})
    with services.ledger.publishable():
        append_by_root(services, root, service_enrolled(made, KeyRole.GATEWAY, services.clock.now()))
    services.ledger.integrate()


def test_a_folder_that_is_older_than_the_log_is_not_gone_on_with(services, recorded, gateway_key):
    def check():
        check_folder(services.home, services.outbox, gateway_key.key, [TENANT])

    check()
    recorded(1)
    services.receiving.intake()
    folder = services.home.path / "gateway"
    shutil.copytree(folder, folder.with_name("older"))
    recorded(2)
    check()  # what is closed and not taken yet is no matter
    services.receiving.intake()
    check()
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("older"), folder)
    with pytest.raises(Refused, match="the log has 2 segments of this gateway for main, and its folder 1"):
        check()

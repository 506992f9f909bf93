"""From an answer of the real gateway's journal to the roots of the data, by the API and the command line."""

import asyncio
import json
from dataclasses import replace

import pytest

from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.model import Basis, ServedModel
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import NotFound, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import trust as trust_file
from ringfence.reports.service import draft_of
from ringfence.server import create_app
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing import program, receipts
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, signed
from ringfence.testing.lineage import digest_of, logged_in, whole

ASKED = str(receipts.request(1))


def answered(services, clock, *, model="tuned", deployment="small"):
    """Let a deployment answer once, as the gateway's own journal records it, and take the segment in."""
    folder = services.home.path / "gateway"
    key = Ed25519Signer.from_seed(services.home.gateway_keys(None).secret("gateway"))
    made = receipts.closer(folder, key=key, clock=clock)
    closer = replace(made, log=services.home.log, demo_tenants=frozenset(services.demo_tenants))
    said = {"deployment": deployment, "model": ServedModel("m", digest_of(model), Basis.LOADED)}

    async def answer():
        folder.mkdir(exist_ok=True)
        journal = open_journal(folder, closer)
        await receipts.answered(journal, (1,), tenant=TENANT, **said)
        await asyncio.to_thread(journal.close)

    asyncio.run(answer())
    services.receiving.intake()


@pytest.fixture
def told(services, home, clock):
    logged_in(services, home, whole())
    answered(services, clock)
    return services


def test_an_answer_leads_to_the_rows_roots(told):
    found = told.behind(TENANT, ASKED)
    assert found["closed"]
    assert {root["plaintextRoot"] for root in found["roots"]} == {
        str(digest_of("plain books")),
        str(digest_of("plain letters")),
    }
    entries = {root["statement"]["entry"] for root in found["roots"]} | {found["answer"]["entry"]}
    for entry in entries:  # each is proven against the published head
        told.ledger.inclusion_proof(entry, told.ledger.head().checkpoint.size)


def test_an_answer_with_weights_that_nobody_stated_is_not_closed(services, home, clock):
    logged_in(services, home, whole())
    answered(services, clock, model="swapped")
    found = services.behind(TENANT, ASKED)
    assert [gap["kind"] for gap in found["gaps"]] == ["digest-conflict", "no-origin", "unsigned"]


def test_a_receipt_that_does_not_hold_leads_nowhere(told):
    path = next((told.home.path / "gateway" / "proofs").rglob("*.json"))
    path.write_text(path.read_text().replace('"entry":', '"entry": 1', 1))
    with pytest.raises(VerificationFailed):
        told.behind(TENANT, ASKED)


def test_another_tenants_answer_is_not_found(told):
    with pytest.raises(NotFound):
        told.behind(Tenant("other"), ASKED)


@pytest.fixture
def line(told):
    app = create_app(told)
    app.state.door = OpenDoor(TENANT)
    with served(app) as address:
        known = {"RINGFENCE_HOME": str(told.home.path), "RINGFENCE_URL": address, "RINGFENCE_TOKEN": "anybody"}
        yield lambda *words: program.called(known, "lineage", *words)


def test_the_command_line_shows_the_same_by_request_and_by_file(told, line, tmp_path):
    by_request = line("show", ASKED, "--json")
    assert json.loads(by_request.stdout) == told.behind(TENANT, ASKED)
    file = tmp_path / "receipt.json"
    file.write_bytes(told.receiving.receipts.find(TENANT, receipts.request(1)).body)
    assert line("show", str(file), "--json").stdout == by_request.stdout
    changed = json.loads(file.read_text())
    changed["record"]["admitted"]["deployment"] = "other"
    file.write_text(json.dumps(changed))
    refused = line("show", str(file))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not the one that the gateway keeps" in refused.stderr


def test_a_stranger_reads_the_chain_from_a_receipt_and_a_pack(told, home, tmp_path):
    receipt, pack, trust = (tmp_path / name for name in ("receipt.json", "acme.pack", "trust.json"))
    receipt.write_bytes(told.receiving.receipts.find(TENANT, receipts.request(1)).body)
    envelope, opening = signed(told, home.people[Role.OWNER], draft_of(told.packs.preview(TENANT).to_json()))
    pack.write_bytes(told.packs.issue(envelope, opening, by=home.actor(Role.OWNER)))
    trust.write_text(trust_file.to_text(told.packs.trust))
    nowhere = {"RINGFENCE_HOME": str(tmp_path / "none")}

    def verify(*words):
        return program.called(nowhere, "verify", str(receipt), "--pack", str(pack), *words)

    done = verify("--trust", str(trust), "--json")
    assert done.returncode == 0, done.stderr
    chain, online = json.loads(done.stdout)["behind"], told.behind(TENANT, ASKED)
    assert chain["closed"]
    assert [root["plaintextRoot"] for root in chain["roots"]] == [root["plaintextRoot"] for root in online["roots"]]
    assert chain["links"] == online["links"]
    assert "CLOSED" in verify("--trust", str(trust)).stdout
    pack.write_bytes(pack.read_bytes().replace(b"run.manifest", b"run.manifesto"))
    assert verify("--trust", str(trust)).returncode in {1, 2}


def test_words_a_graph_and_a_document_name_the_same_links(line):
    document = json.loads(line("show", "small", "--json").stdout)
    graph = line("show", "small", "--dot").stdout
    words = line("show", "small").stdout
    assert graph.count("->") == len(document["links"]) == 5
    assert words.count(": entry ") == 5
    assert "CLOSED" in words
    assert line("show", "small", "--dot", "--json").returncode == 2
    assert line("show", "nothing").returncode == 2
    assert line("show", ASKED, "--as-of", "2026-11-22T09:00:00Z").returncode == 2


def test_gaps_end_with_1_and_nothing_missing_with_0(told, home, line):
    assert line("gaps").returncode == 0
    tale = whole()
    del tale.statements[:]
    tale.sign("orphan")
    logged_in(told, home, tale)
    found = line("gaps", "--json")
    assert found.returncode == 1
    assert [gap["kind"] for gap in json.loads(found.stdout)["gaps"]] == ["no-origin"]

import pytest

from ringfence.gateway import receipt, records
from ringfence.gateway.blobs import ReceiptFiles, ReceiptIndex
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.testing import receipts
from ringfence.testing.ledger import LabLog

TENANT = receipts.TENANT
SALTS = [receipts.salt(number) for number in (1, 2, 3)]


def requests(numbers):
    return [bytes.fromhex(receipts.request(number)[4:]) for number in numbers]


REQUESTS = requests((1, 2, 3))


@pytest.fixture
def files(tmp_path):
    return receipts.closer(tmp_path).files


@pytest.fixture
def index(files):
    return ReceiptIndex(files.folder / "index")


@pytest.fixture
def made():
    return receipt.parse(receipts.issued(LabLog()).data)


def test_what_is_kept_reads_back_and_only_its_owner_may_read_it(files):
    files.keep(TENANT, 1, [b"one", b"two"], SALTS[:2])
    assert files.leaves(TENANT, 1) == [b"one", b"two"]
    assert files.salt(TENANT, 1, 1) == SALTS[1]
    for kind in ("seg", "salts"):
        assert files.path(TENANT, 1, kind).stat().st_mode & 0o077 == 0


def test_a_segment_is_closed_once(files, made):
    assert not files.is_closed(TENANT, 1)
    files.keep(TENANT, 1, [b"one"], SALTS[:1])
    files.close(TENANT, 1, made.envelope)
    assert files.is_closed(TENANT, 1)
    assert files.last(TENANT) == 1
    with pytest.raises(UsageError, match="exists"):
        files.close(TENANT, 1, made.envelope)


def test_folders_that_are_no_tenants_are_left_alone(files):
    files.keep(TENANT, 1, [b"one"], SALTS[:1])
    (files.folder / "closed" / "lost+found").mkdir()
    assert files.tenants() == [TENANT]


def test_openings_are_erased_one_by_one_or_all_at_once_and_again(files):
    files.keep(TENANT, 1, [b"one", b"two", b"three"], SALTS)
    files.erase(TENANT, 1, 1)
    assert [files.salt(TENANT, 1, place) for place in range(3)] == [SALTS[0], b"", SALTS[2]]
    assert SALTS[1] not in files.path(TENANT, 1, "salts").read_bytes()
    with pytest.raises(NotFound, match="no record 3"):
        files.erase(TENANT, 1, 3)
    with pytest.raises(NotFound, match="no record -1"):
        files.erase(TENANT, 1, -1)
    files.erase(TENANT, 1)
    files.erase(TENANT, 1)
    assert not files.path(TENANT, 1, "salts").exists()
    assert files.salt(TENANT, 1, 0) == b""
    assert files.leaves(TENANT, 1) == [b"one", b"two", b"three"]


def test_openings_are_not_erased_through_a_link(files, tmp_path):
    files.keep(TENANT, 1, [b"one"], SALTS[:1])
    (files.folder / "closed" / TENANT).rename(tmp_path / "elsewhere")
    (files.folder / "closed" / TENANT).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        files.erase(TENANT, 1)
    assert (tmp_path / "elsewhere" / "00000001.salts").read_bytes().endswith(SALTS[0])


def test_damaged_openings_are_refused(files):
    files.keep(TENANT, 1, [b"one"], SALTS[:1])
    files.path(TENANT, 1, "salts").write_bytes(b"?" * 100)
    with pytest.raises(MalformedInput, match="openings"):
        files.salt(TENANT, 1, 0)
    with pytest.raises(MalformedInput, match="openings"):
        files.erase(TENANT, 1)
    assert files.path(TENANT, 1, "salts").read_bytes() == b"?" * 100


def test_the_place_in_the_log_is_written_and_read_back(files):
    assert files.proof(TENANT, 1) is None
    assert files.last_proof(TENANT) == 0
    files.write_proof(TENANT, 1, b"{}")
    files.write_proof(TENANT, 2, b"{}")
    assert files.proof(TENANT, 2) == b"{}"
    assert files.last_proof(TENANT) == 2


@pytest.mark.parametrize("deep", [False, True])
def test_no_link_that_the_gateway_made_is_followed(files, tmp_path, deep):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if deep:
        (files.folder / "proofs").mkdir()
        (files.folder / "proofs" / TENANT).symlink_to(elsewhere)
    else:
        (files.folder / "proofs").symlink_to(elsewhere)
    with pytest.raises(Unavailable):
        files.write_proof(TENANT, 1, b"{}")
    assert not any(elsewhere.iterdir())


def test_nor_a_link_in_the_place_of_the_file(files, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    files.write_proof(TENANT, 1, b"{}")
    (files.folder / "proofs" / TENANT / ".00000002.json.tmp").symlink_to(victim)
    with pytest.raises(Unavailable):
        files.write_proof(TENANT, 2, b"{}")
    assert victim.read_bytes() == b"kept"


@pytest.mark.parametrize("place", ["proofs/{}/00000001.json", "proofs/{}", "proofs"])
def test_nor_is_one_read_through_a_link(files, tmp_path, place):
    files.write_proof(TENANT, 1, b"{}")
    linked = files.folder / place.format(TENANT)
    linked.rename(tmp_path / "elsewhere")  # of root, say: it must not turn up in a receipt
    linked.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        files.proof(TENANT, 1)


@pytest.mark.parametrize("kind", ["seg", "salts", "dsse"])
def test_nor_is_a_segment(files, made, tmp_path, kind):
    files.keep(TENANT, 1, [b"one"], SALTS[:1])
    files.close(TENANT, 1, made.envelope)
    linked = files.path(TENANT, 1, kind)
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    read = {
        "seg": lambda: files.record(TENANT, 1, 0),
        "salts": lambda: files.salt(TENANT, 1, 0),
        "dsse": lambda: files.envelope(TENANT, 1),
    }
    with pytest.raises(Unavailable):
        read[kind]()


def test_a_request_is_found_by_its_id_and_by_its_tenant_alone(index):
    index.add(TENANT, 7, REQUESTS)
    index.add(TENANT, 7, REQUESTS)
    place = index.find(TENANT, receipts.request(3))
    assert (place.segment, place.index) == (7, 2)
    assert index.find(TENANT, receipts.request(4)) is None
    assert index.find(Tenant("other"), receipts.request(3)) is None


def test_an_id_is_not_found_across_the_fields_of_a_row(index):
    index.add(
        TENANT, 1, [bytes(16), bytes(15) + b"\7"]
    )  # zeros, the segment's 1: bytes 4 to 19 of this row look like request 1
    assert index.find(TENANT, receipts.request(1)) is None
    assert index.find(TENANT, receipts.request(0)).segment == 1


def test_half_a_row_of_a_full_disk_is_written_over(index):
    index.add(TENANT, 1, REQUESTS[:1])
    (path,) = (index.folder / TENANT).iterdir()
    with path.open("ab") as file:
        file.write(b"half a row")
    index.add(TENANT, 2, REQUESTS[1:])
    assert [index.find(TENANT, receipts.request(number)).segment for number in (1, 2, 3)] == [1, 2, 2]


def test_an_index_says_how_far_it_is_durable(index):
    index.mark(TENANT, 5)
    assert index.marked(TENANT) == 0
    index.add(TENANT, 6, REQUESTS)
    index.mark(TENANT, 6)
    assert index.marked(TENANT) == 6
    (index.folder / TENANT / "marked").write_bytes(b"?")
    assert index.marked(TENANT) == 0


@pytest.fixture
def shelf(files, index):
    """One closed segment of three records, not published yet, and a journal that holds request 9."""
    leaves = [records.to_bytes(receipts.record(number)) for number in (1, 2, 3)]
    whole = receipts.issued(LabLog(), index=1)
    files.keep(TENANT, 1, leaves, SALTS)
    index.add(TENANT, 1, REQUESTS)
    files.close(TENANT, 1, receipt.parse(whole.data).envelope)
    held = {(TENANT, receipts.request(9))}
    return ReceiptFiles(files, index, lambda *asked: asked in held), whole.data


def test_a_receipt_is_there_once_its_segment_is_published(shelf, files):
    found, whole = shelf
    waiting = found.find(TENANT, receipts.request(2))
    assert not waiting.body
    assert waiting.retry_after > 0
    files.write_proof(TENANT, 1, digest.dumps(digest.loads(whole)["log"]))
    assert found.find(TENANT, receipts.request(2)).body == whole


def test_what_the_journal_still_holds_is_to_be_waited_for(shelf):
    assert shelf[0].find(TENANT, receipts.request(9)).retry_after > 0


@pytest.mark.parametrize(("tenant", "number"), [(TENANT, 5), ("other", 2), ("other", 9)])
def test_an_unknown_request_and_somebody_elses_are_told_alike(shelf, tenant, number):
    with pytest.raises(NotFound, match="no answer of yours"):
        shelf[0].find(Tenant(tenant), receipts.request(number))


@pytest.mark.parametrize("wrong", [[2, 1], [9, 9, 1]])
def test_an_index_that_does_not_fit_is_named(shelf, index, files, wrong):
    (index.folder / TENANT / "00").unlink()
    index.add(TENANT, 1, requests(wrong))
    files.write_proof(TENANT, 1, b"{}")
    with pytest.raises(Unavailable, match="does not fit"):
        shelf[0].find(TENANT, receipts.request(1))


class TestDrop:
    def test_the_records_go_and_the_signed_closing_stays(self, files):
        files.keep(TENANT, 7, [b"record"], [SALTS[0]])
        assert files.numbers(TENANT, "seg")[-1] == 7
        files.drop(TENANT, 7)
        files.drop(TENANT, 7)  # again: nothing is left to do
        assert 7 not in files.numbers(TENANT, "seg")
        assert 7 in files.numbers(TENANT, "salts")

    def test_nothing_outside_of_the_folder_is_removed(self, files, tmp_path):
        files.keep(TENANT, 7, [b"record"], [SALTS[0]])
        other = tmp_path / "elsewhere"
        (files.folder / "closed").rename(other)
        (files.folder / "closed").symlink_to(other)
        with pytest.raises(Unavailable):
            files.drop(TENANT, 7)
        assert (other / TENANT / "00000007.seg").exists()

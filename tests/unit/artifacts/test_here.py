from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.here import SealingHere
from ringfence.artifacts.model import DatasetName
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, NotFound, Refused
from ringfence.testing.artifacts import Counting, MemoryKeyring
from ringfence.testing.home import TENANT, signed

NAME = DatasetName("claims")


class Bench:
    def __init__(self, services, home, folder):
        self.services, self.home, self.folder = services, home, folder
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "a.csv").write_bytes(b"x,y\n1,2\n" * 20_000)
        self.caller = home.actor(Role.ENGINEER)
        self.keyring = MemoryKeyring()
        self.here = SealingHere(services.artifacts, Home(home.path), self.opened, Counting(b"here"))
        self.drafts = []

    @contextmanager
    def opened(self):
        yield self.keyring

    def sign(self, draft):
        """Sign at once, as the person would in the browser."""
        self.drafts.append(draft)
        posted = signed(self.services, self.home.people[Role.ENGINEER], draft)
        self.services.artifacts.take(self.caller, NAME, *posted)

    def seal(self, ask=None):
        self.here.seal(self.caller, NAME, PlainFolder(self.folder), ask or self.sign)

    def on_disk(self):
        return [path for path in (self.home.path / "datasets").glob("[0-9a-f]*/*") if path.is_dir()]


@pytest.fixture
def bench(services, home, tmp_path):
    return Bench(services, home, tmp_path / "files")


def test_a_seal_that_a_person_signed_stands_with_its_bytes(bench):
    bench.seal()
    (known,) = bench.services.artifacts.all(TENANT)
    assert (known.name, known.epoch, known.objects) == (NAME, 1, 1)
    (place,) = bench.on_disk()
    assert (place / "seal.dsse").exists()
    assert not (place / "pending").exists()
    (logged,) = bench.services.ledger.statements(TENANT, ("dataset.sealed",))
    assert logged.issuer.person == bench.caller.id
    bench.seal()
    assert bench.services.artifacts.all(TENANT)[0].epoch == 2


def test_without_a_signature_neither_bytes_nor_statement_are_kept(bench):
    bench.here = replace(bench.here, life=timedelta(0))
    with pytest.raises(Refused, match="nobody signed"):
        bench.seal(lambda _: None)
    assert bench.on_disk() == []
    assert bench.services.artifacts.all(TENANT) == []


def test_a_signature_that_comes_too_late_records_nothing(bench):
    bench.here = replace(bench.here, life=timedelta(0))
    with pytest.raises(Refused):
        bench.seal(bench.drafts.append)
    with pytest.raises(Conflict, match="seal it again"):
        bench.sign(bench.drafts[0])
    bench.services.ledger.integrate()
    assert bench.services.ledger.statements(TENANT, ("dataset.sealed",)) == []


def test_a_seal_that_cannot_be_recorded_leaves_no_bytes(bench):
    def by_another(draft):
        posted = signed(bench.services, bench.home.people[Role.OWNER], draft)
        bench.services.artifacts.take(bench.caller, NAME, *posted)

    with pytest.raises(Refused, match="own token"):
        bench.seal(by_another)
    assert bench.on_disk() == []


def test_the_server_wraps_a_key_and_unwraps_none(bench):
    def never(_):
        pytest.fail("a key was unwrapped")

    bench.keyring.unwrap = never
    bench.seal()
    dataset = bench.services.artifacts.all(TENANT)[0].dataset
    assert bench.here.verified(TENANT, dataset).claims["result"] == "pass"


def test_a_changed_byte_is_what_a_verification_says(bench):
    bench.seal()
    (place,) = bench.on_disk()
    largest = max((place / "objects").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[-1] ^= 1
    largest.write_bytes(data)
    draft = bench.here.verified(TENANT, bench.services.artifacts.all(TENANT)[0].dataset)
    assert (draft.claims["result"], draft.claims["failed"]) == ("fail", 1)


def test_what_is_not_here_is_not_verified(bench):
    with pytest.raises(NotFound):
        bench.here.verified(TENANT, "f" * 32)

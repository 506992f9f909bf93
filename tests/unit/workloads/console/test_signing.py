import pytest

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.reports.service import draft_of
from ringfence.testing.artifacts import example, sealed_in_memory
from ringfence.testing.home import TENANT, draft, signed
from ringfence.workloads.console import signing


@pytest.fixture
def targets(services):
    return signing.targets(services.packs, services.artifacts, services.outbox)


def test_a_signed_report_closes_a_pack(services, home, targets):
    services.ledger.integrate()
    wanted = draft_of(services.packs.preview(TENANT).to_json())
    posted = signed(services, home.people[Role.OWNER], wanted)
    done = targets["report.exported"].submit(home.actor(), signing.PLACE, *posted)
    assert done["statement"]["entry"] is not None
    assert targets["report.exported"].action == "report.pack"


def test_no_seal_is_recorded_of_bytes_that_nobody_holds(services, home, targets):
    made, name = sealed_in_memory({"a": b"x"}), DatasetName("claims")
    wanted = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, name)
    posted = signed(services, home.people[Role.ENGINEER], wanted)
    with pytest.raises(Conflict, match="not held here"):
        targets["dataset.sealed"].submit(home.actor(Role.ENGINEER), name, *posted)
    assert services.artifacts.all(TENANT) == []
    assert targets["dataset.sealed"].action == "dataset.seal"


def test_a_verification_is_of_the_dataset_that_was_verified(services, home, targets):
    posted = signed(services, home.people[Role.ENGINEER], draft("dataset.verified"))
    with pytest.raises(MalformedInput):
        targets["dataset.verified"].submit(home.actor(Role.ENGINEER), "no id", *posted)
    assert targets["dataset.verified"].action == "dataset.verify"
    assert example().dataset

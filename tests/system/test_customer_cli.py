"""`ringfence customer` as a person runs it: entered, answered, handed a pack that a stranger checks."""

import csv
import json

import pytest

from ringfence.ledger import trust as trust_file
from ringfence.reports.verify import verify
from ringfence.testing import program
from ringfence.testing.home import TENANT, make

CUSTOMERS = "name,regimes,incident_hours,clauses\nSample Bank,dora,,dora-30.2\nPlant,nis2-important,12,\n"
QUESTIONS = 'id,question,control,keyword\nQ1,"Do you keep keys apart?",SEC-04,\nQ2,=1+1,,\nQ3,Do you sleep?,,zzz\n'


@pytest.fixture(scope="module")
def ringfence():
    """Run one command in this process; return exit code, standard output, standard error."""

    def run(*arguments, env):
        done = program.called(env, *map(str, arguments))
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def entered(tmp_path_factory, ringfence):
    folder = tmp_path_factory.mktemp("customers")
    home = make(folder / "home")
    (folder / "c.csv").write_text(CUSTOMERS)
    (folder / "q.csv").write_text(QUESTIONS)
    code, out, err = ringfence("customer", "import", folder / "c.csv", "--json", env=home.environment())
    assert code == 0, err
    assert len(json.loads(out)["added"]) == 2
    return folder, home


def test_a_questionnaire_comes_back_with_record_ids_or_two_words(entered, ringfence):
    folder, home = entered
    env = home.environment()
    code, out, err = ringfence(
        "customer", "answer", "Sample Bank", folder / "q.csv", "-o", folder / "a.csv", "--json", env=env
    )
    assert code == 0, err
    header, first, second, third = csv.reader((folder / "a.csv").read_text("utf-8").splitlines())
    assert header[-5:] == [
        "ringfence status",
        "ringfence records",
        "ringfence strength",
        "ringfence matched by",
        "ringfence as of",
    ]
    answers = json.loads(out)["answers"]
    assert first[4].startswith("SEC-04: ") or first[4] == "no evidence"
    assert first[7] == "SEC-04: named"
    assert second[1] == "'=1+1"
    for row, answer in ((second, answers[1]), (third, answers[2])):
        assert (row[4:8], answer["no_evidence"]) == (["no evidence", "", "", "not matched"], True)
    assert ringfence("customer", "answer", "Sample Bank", folder / "q.csv", "-o", folder / "a.csv", env=env)[0] == 2


def test_what_is_changed_is_changed_alone_and_a_pack_with_its_leaf_is_written_and_checked(entered, tmp_path, ringfence):
    _, home = entered
    env, pack = home.environment(), tmp_path / "bank.pack"
    assert ringfence("customer", "change", "Sample Bank", "--breach-hours", 24, "--country", "FR", env=env)[0] == 0
    code, out, err = ringfence("customer", "pack", "Sample Bank", "-o", pack, "--json", env=env)
    assert code == 0, err
    document = json.loads(out)
    leaf = (tmp_path / "bank.pack.txt").read_text()
    assert "no certificate" in leaf
    assert document["root"] in leaf
    assert "Plant" not in pack.read_text() + leaf
    assert verify(pack.read_bytes(), trust_file.parse((home.path / "trust.json").read_bytes(), source="trust")).ok
    with home.services() as services:
        one = next(one for one in services.customers.register(TENANT).current if one.name == "Sample Bank")
    assert (one.country, dict(one.hours), one.regimes) == ("FR", {"breach": 24}, ("dora",))

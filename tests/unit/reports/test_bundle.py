"""What is in the zipapp; that it works alone is shown by tests/system/test_recheck_zipapp.py."""

import io
import json
import zipfile

import pytest

from ringfence.obligations import catalog
from ringfence.obligations.scope import rules
from ringfence.reports.bundle import zipapp


@pytest.fixture(scope="module")
def archive():
    return zipfile.ZipFile(io.BytesIO(zipapp()))


def test_it_holds_what_checks_and_nothing_that_acts(archive):
    names = set(archive.namelist())
    assert {"__main__.py", "ringfence/reports/verify.py", "ringfence/reports/rules.json"} <= names
    parts = {name.split("/")[1] for name in names if name.startswith("ringfence/") and name.count("/") > 1}
    assert parts == {"gateway", "kernel", "ledger", "obligations", "reports"}
    assert not [name for name in names if name.endswith(("cli.py", "service.py", "store.py", "api.py"))]


def test_nothing_in_it_depends_on_when_or_where_it_was_made(archive):
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert archive.namelist() == sorted(archive.namelist())


def test_the_rules_travel_as_values_once_and_with_their_version(archive):
    known = json.loads(archive.read("ringfence/reports/rules.json"))
    assert set(known) == {"documents", "law", "version"}
    assert set(known["documents"]) == set(catalog.FILES)
    assert set(known["law"]["values"]) == rules.PARSED
    assert known["version"] == str(catalog.load().digest)
    assert not [name for name in archive.namelist() if name.endswith(".yaml")]

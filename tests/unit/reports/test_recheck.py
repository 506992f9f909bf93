"""The program inside the zipapp, run here; alone it is run by tests/system/test_recheck_zipapp.py."""

import json

import pytest

from ringfence.ledger import trust as trust_file
from ringfence.obligations import catalog, edition, reading
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.document import shipped as values_of
from ringfence.reports import recheck


@pytest.fixture(scope="module")
def printed():
    documents = {name: reading.read(name) for name in catalog.FILES}
    parsed = {name: values_of(reading.package_file(name)) for name in rules.PARSED}
    return edition.printed(documents, rules.load(), parsed)


@pytest.fixture
def files(tmp_path, log):
    (tmp_path / "a.pack").write_bytes(log.pack())
    (tmp_path / "trust.json").write_text(trust_file.to_text(log.trust()), encoding="utf-8")
    return [str(tmp_path / "a.pack"), "--trust", str(tmp_path / "trust.json")]


def test_it_prints_a_verdict(files, printed, capsys):
    assert recheck.main(files, printed) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("VERIFIED: 8 of 8 records of acme")


def test_it_prints_a_document(files, printed, capsys):
    assert recheck.main([*files, "--json"], printed) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "verified"


def test_it_computes_again(files, printed, capsys):
    assert recheck.main([*files, "--recompute"], printed) == 1  # the laboratory's status is by no rules of ours
    assert "other rules" in capsys.readouterr().out


def test_it_says_what_it_cannot_read(files, printed, capsys):
    assert recheck.main([files[2], *files[1:]], printed) == 2
    assert recheck.main([files[0] + "x", *files[1:]], printed) == 2
    assert "cannot be checked" in capsys.readouterr().err

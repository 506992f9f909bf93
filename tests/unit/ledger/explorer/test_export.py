import csv
import io

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.ledger.explorer.export import COLUMNS, cell, to_csv
from ringfence.testing.ledger import LabLog


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "|calc", "%1"])
def test_what_a_spreadsheet_would_compute_stays_text(text) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["dataset/1", "1", "", "a=b", "sha256:ab"])
def test_anything_else_stays_as_it_is(text) -> None:
    assert cell(text) == text


def test_a_statement_is_one_row_whatever_its_subject_is_called() -> None:
    log = LabLog()
    name = '=HYPERLINK("http://evil","x"),y'
    logged = log.state("dataset.sealed", {}, subjects=(Subject(name, Digest.of(b"x")),))
    header, row = csv.reader(io.StringIO(to_csv([logged])))
    assert tuple(header) == COLUMNS
    found = dict(zip(header, row, strict=True))
    assert found["subjects"] == f"'{name}"
    assert (found["entry"], found["standing"], found["role"]) == (str(logged.entry), "trusted", "operator")
    assert found["envelope"] == str(logged.envelope.digest)

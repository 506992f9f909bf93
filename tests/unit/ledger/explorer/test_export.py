import csv
import io

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.ledger.explorer.export import COLUMNS, to_csv
from ringfence.testing.ledger import LabLog


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

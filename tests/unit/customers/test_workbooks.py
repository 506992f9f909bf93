import io
import zipfile
from importlib.util import find_spec

import pytest

from ringfence.customers import workbooks
from ringfence.kernel.errors import MalformedInput, Unavailable

needs_openpyxl = pytest.mark.skipif(find_spec("openpyxl") is None, reason="openpyxl is not installed")


@needs_openpyxl
def test_what_is_written_is_read_again():
    rows = [("question", "control"), ("Why?", "SEC-01"), ("ünï", "")]
    assert workbooks.read_xlsx(workbooks.write_xlsx(rows), source="q") == tuple(rows)


@needs_openpyxl
def test_the_name_of_a_file_says_its_form():
    rows = (("question", "control"), ("Why?", "SEC-01"))
    for name in ("q.csv", "Q.XLSX"):
        data = workbooks.write(rows, name)
        assert data.startswith(b"PK") == (name == "Q.XLSX")
        assert workbooks.read(data, source=name) == rows


@needs_openpyxl
def test_nothing_that_is_written_is_a_formula():
    data = workbooks.write_xlsx([("question",), ("=1+1",), ("@SUM(A1)",)])
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheet = next(parts.read(name) for name in parts.namelist() if "sheet1" in name)
        assert b"<f>" not in sheet
    assert workbooks.read_xlsx(data, source="q")[1] == ("'=1+1",)


def packed(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return out.getvalue()


@needs_openpyxl
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\3\4",
        b"question,control\n",
        packed(a=b"x"),
        packed(a=bytes(workbooks.MAX_UNPACKED + 1)),
        packed(**{str(at): b"x" for at in range(workbooks.MAX_PARTS + 1)}),
        packed(a=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]><x>&y;</x>'),
        packed(a="<!DOCTYPE x>".encode("utf-16")),
    ],
)
def test_what_is_no_workbook_or_too_large_a_one_is_refused(data):
    with pytest.raises(MalformedInput):
        workbooks.read_xlsx(data, source="q")


@needs_openpyxl
def test_a_workbook_that_defines_entities_is_refused():
    good = workbooks.write_xlsx([("question",), ("Why?",)])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as parts, zipfile.ZipFile(out, "w") as made:
        for name in parts.namelist():
            data = parts.read(name)
            made.writestr(name, data.replace(b"<worksheet", b'<!DOCTYPE w [<!ENTITY y "z">]><worksheet', 1))
    with pytest.raises(MalformedInput, match="entities"):
        workbooks.read_xlsx(out.getvalue(), source="q")


def test_without_openpyxl_it_is_named():
    with pytest.raises(Unavailable, match=r"ringfence\[questionnaires\]") as refused:
        workbooks.library("openpyxl_that_is_not_installed")
    assert refused.value.exit_code == 4

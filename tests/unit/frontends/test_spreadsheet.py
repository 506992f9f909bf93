"""The guard against formulas, and the table that every export writes with it."""

import csv
import io

import pytest

from ringfence.frontends.spreadsheet import inert, to_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "  =1", "|calc", "%1", '"=1'])
def test_what_a_spreadsheet_would_compute_stays_text(text):
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["dataset/1", "1", "", "a=b", "sha256:ab", "  ", "'quoted'", "\u00a0x"])
def test_anything_else_stays_as_it_is(text):
    assert inert(text) == text


@pytest.mark.parametrize("number", [-12, 0, 7])
def test_a_number_stays_a_number(number):
    assert inert(number) == str(number)


def test_no_cell_is_found_within_another_one():
    (row,) = csv.reader(io.StringIO(to_csv([["fine;=1+1"]]), newline=""), delimiter=";")
    assert row == ["fine;=1+1"]


def test_an_empty_table_is_no_error():
    assert to_csv([]) == ""

"""An intake is known by its model's digest and by each file's own."""

from datetime import UTC, datetime

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.intake.model import Intake, Source, State, Told, country_code


def test_it_holds_the_model_and_its_files_and_nothing_else():
    whole, file = Digest.of(b"whole"), Digest.of(b"file")
    told = Told(whole, "MIT", "FR", "", "")
    found = Intake(
        "0" * 64, "a" * 32, "", whole, frozenset({file}), 1, 1, Source.FILE, told,
        entry=1, at=datetime(2026, 11, 20, tzinfo=UTC), by=None,
    )  # fmt: skip
    assert found.holds(whole)
    assert found.holds(file)
    assert not found.holds(Digest.of(b"other"))
    assert found.state is State.WAITING


@pytest.mark.parametrize("text", ["de", "DEU", "", None, "D3", "ÄÖ"])
def test_a_country_has_two_capital_letters(text):
    assert country_code("DE") == "DE"
    with pytest.raises(MalformedInput):
        country_code(text)

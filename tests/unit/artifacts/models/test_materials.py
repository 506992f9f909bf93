from dataclasses import replace

import pytest

from ringfence.artifacts.models.materials import gather
from ringfence.kernel.errors import NotFound
from ringfence.testing.materials import MANIFEST, WHOLE, logged


@pytest.fixture(scope="module")
def whole():
    return logged(WHOLE)


def test_statements_of_keys_that_do_not_count_are_not_used(whole):
    strange = [replace(one, standing="revoked") if one.entry == 5 else one for one in whole]
    assert gather(strange, "tiny")["runs"] == []
    with pytest.raises(NotFound, match="no model 'tiny'"):
        gather([replace(one, standing="unknown") for one in whole], "tiny")


def test_the_newest_version_counts_with_what_is_stated_of_its_own_bytes(whole):
    known = gather(whole, "tiny")
    assert (known["digest"], known["repository"]) == (MANIFEST.digest.hex, "org/name")
    assert [one["statement"]["entry"] for one in (known["signed"], known["scan"], known["imported"])] == [8, 7, 6]
    assert [one["sealed"]["epoch"] for one in known["datasets"]] == [2]
    assert known["bases"][0]["name"] == "base"
    assert gather(whole, "base")["runs"] == []

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.evidence import Acknowledgement, Stage


def test_the_stages_are_those_that_the_front_ends_name():
    assert [stage.value for stage in Stage] == ["journalled", "sequenced", "integrated", "published", "witnessed"]


@pytest.mark.parametrize("entry", [None, 0, 7])
def test_an_acknowledgement_is_shown_in_one_form(entry):
    shown = Acknowledgement(Digest(bytes(32)), 5, Stage.SEQUENCED, entry).to_json()
    assert shown == {"envelope": "sha256:" + "0" * 64, "sequence": 5, "stage": "sequenced", "entry": entry}

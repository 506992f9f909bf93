import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.storage.turns import replacing, using


def test_many_may_use_it_at_once(tmp_path):
    with using(tmp_path, "busy"), using(tmp_path, "busy", patience=0):
        pass


@pytest.mark.parametrize(("first", "second"), [(using, replacing), (replacing, using), (replacing, replacing)])
def test_who_replaces_it_is_alone_and_the_other_is_told_why(tmp_path, first, second):
    with first(tmp_path, "first"), pytest.raises(Unavailable, match="second"), second(tmp_path, "second", patience=0):
        pass
    with second(tmp_path, "free again", patience=0):
        pass

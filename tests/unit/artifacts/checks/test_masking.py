from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.masking import MAX_NAME, masked, quoted


@given(st.text())
def test_a_name_is_short_and_steers_nothing(name):
    shown = quoted(name)
    assert shown[0] == shown[-1] == "'"
    assert len(shown) <= MAX_NAME + 2
    assert shown.isprintable()
    assert "'" not in shown[1:-1]
    assert shown.encode()


@given(st.text(min_size=2))
def test_a_value_is_never_shown_whole(value):
    assert masked(value).split("…")[0] in {value[0], ""}
    assert f"({len(value)} characters)" in masked(value)

import re

from segno import make

from ringfence.identity.signin.picture import picture_of

ADDRESS = "otpauth://totp/Ringfence:person-0123456789ab?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ringfence"


def test_every_dark_module_is_drawn_where_it_is():
    svg = picture_of(ADDRESS)
    matrix = [bytes(row) for row in make(ADDRESS, error="m", micro=False).matrix]
    drawn = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    assert drawn == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}


def test_it_sets_no_style_and_holds_nothing_of_the_text():
    svg = picture_of("<script>alert(1)</script>")
    assert "style" not in svg
    assert "script" not in svg

"""The damage is one bit, and it is undone whatever happens."""

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour import seal


def test_a_flip_is_one_bit_and_a_second_one_undoes_it(tmp_path):
    path = tmp_path / "object"
    path.write_bytes(bytes(100))
    seal._flip(path, 40)
    assert path.read_bytes() == bytes(40) + b"\x01" + bytes(59)
    seal._flip(path, 40)
    assert path.read_bytes() == bytes(100)


def test_the_bit_is_restored_even_if_nobody_notices_the_damage(tmp_path):
    folder = tmp_path / "datasets" / "d" / "1" / "objects"
    folder.mkdir(parents=True)
    data = bytes(seal.CHUNK * 2)
    (folder / "o").write_bytes(data)

    class Blind:
        home = work = tmp_path
        engineer = ""
        show = staticmethod(lambda _: None)

        def refused(self, *_arguments, **_by):
            raise VerificationFailed("it should have refused")

    with pytest.raises(VerificationFailed):
        seal._damage(Blind(), {"dataset": "d", "epoch": 1})
    assert (folder / "o").read_bytes() == data

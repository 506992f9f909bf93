import pytest

from ringfence.artifacts.models import onnx
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import judged


def field(number, data):
    """Return a field of bytes on the wire."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value):
    data = b""
    while value > 0x7F:
        data, value = data + bytes([value & 0x7F | 0x80]), value >> 7
    return data + bytes([value])


def model(graph, more=b""):
    return b"\x08\x0a" + field(7, graph) + field(8, field(1, b"") + b"\x10\x15") + more


def node(domain=b"", attribute=b""):
    return field(1, field(4, b"Add") + field(7, domain) + (field(5, attribute) if attribute else b""))


def check(data):
    return onnx.check(Held(data))


@pytest.fixture(scope="module")
def trained():
    import numpy as np
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    given = np.arange(60, dtype=np.float32).reshape(20, 3)
    return to_onnx(LogisticRegression().fit(given, [0, 1] * 10), given[:1]).SerializeToString()


def test_a_model_that_skl2onnx_wrote_passes(trained):
    walked = check(trained)
    assert walked.graphs == 1
    assert walked.nodes > 1
    assert not walked.external
    assert not walked.foreign
    assert onnx.looks_like(Held(trained))


def test_it_is_refused_cut_short(trained):
    for size in range(0, len(trained) - 1, 17):
        with pytest.raises(MalformedInput):
            check(trained[:size])


def test_weights_outside_the_file_are_named():
    entry = field(13, field(1, b"location") + field(2, b"../../etc/passwd"))
    walked = check(model(field(5, field(8, b"w") + entry)))
    assert walked.external == ["../../etc/passwd"]
    assert check(model(field(5, b"\x70\x01"))).external == ["?"]
    assert not check(model(field(5, field(13, field(1, b"length") + field(2, b"4"))))).external


def test_parts_that_are_compiled_are_named_wherever_they_are():
    part = field(1, field(4, b"EPContext") + field(7, b"com.microsoft"))
    for data in (model(part), model(node(attribute=field(6, part))), model(b"", field(25, field(7, part[2:])))):
        assert check(data).compiled == {"EPContext"}
        assert judged(data, "model.onnx").verdict is Verdict.REFUSED
    assert not check(model(node(b"com.microsoft"))).compiled


def test_weights_outside_are_found_in_every_place_that_holds_tensors():
    tensor = field(13, field(1, b"location") + field(2, b"x"))
    places = [
        model(node(attribute=field(5, tensor))),
        model(node(attribute=field(10, tensor))),
        model(node(attribute=field(6, field(5, tensor)))),
        model(node(attribute=field(22, field(1, tensor)))),
        model(field(15, field(2, tensor))),
        model(b"", field(20, field(1, field(5, tensor)))),
        model(b"", field(25, field(7, field(5, field(5, tensor))))),
    ]
    for data in places:
        assert check(data).external == ["x"]


def test_operators_that_need_a_library_are_named():
    assert check(model(node(b"com.evil"))).foreign == ("com.evil",)
    assert check(model(node(b"ai.onnx.ml"))).foreign == ()
    assert check(model(b"", field(8, field(1, b"other")))).foreign == ("other",)


def test_nesting_is_bounded():
    graph = b""
    for _ in range(12):
        graph = field(1, field(5, field(6, graph)))
    with pytest.raises(MalformedInput, match="deeper"):
        check(model(graph))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x08\x0a", b"\x08\x0a\x38\x01", b"\x08\x00" + field(7, b""), b"\x07", b"\x08" + b"\xff" * 11, b"\x0f\x00"],
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(MalformedInput):
        check(data)


def test_text_must_be_text():
    with pytest.raises(MalformedInput, match="UTF-8"):
        check(model(node(b"\xff")))
    with pytest.raises(MalformedInput, match="too long"):
        check(model(node(b"a" * (onnx.MAX_TEXT + 1))))

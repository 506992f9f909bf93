"""Every hostile file of ours is refused, whatever it is called, and no plain checkpoint is."""

import io
import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from ringfence.artifacts.models.model import Verdict
from ringfence.kernel import digest
from ringfence.testing.hostile import CALLABLES, FILES, STREAMS, tarred
from ringfence.testing.models import DISGUISED, HOSTILE, TEXTS, described, gguf, judged, pair, report, text
from ringfence.testing.plain import TEMPLATES, legacy_checkpoint, torch_checkpoint


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused(name):
    place, data = FILES[name]
    assert judged(data, place).verdict is Verdict.REFUSED


def test_there_are_enough_kinds():
    ways = len(HOSTILE) + len(DISGUISED) + len(TEXTS) + len(STREAMS)
    assert ways >= 40  # of hiding a call; and with as many callables
    assert len(set(CALLABLES)) == len(CALLABLES) >= 40
    assert len(set(FILES.values())) == len(FILES)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("place", ["model.safetensors", "model.gguf", "model.onnx"])
def test_a_stream_is_refused_under_the_name_of_another_format(name, place):
    assert judged(STREAMS[name], place).verdict is Verdict.REFUSED


def npz():
    kept = io.BytesIO()
    np.savez_compressed(kept, a=np.ones(3), b=np.array(["x", "yz"]))
    return kept.getvalue()


def npy():
    kept = io.BytesIO()
    np.save(kept, np.zeros((2, 3), dtype=np.float16))
    return kept.getvalue()


def estimator(name):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (ringfence[demo])")
    import pickle  # noqa: TID251 - to write what a user has; nothing is loaded

    from sklearn import linear_model, preprocessing

    x, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])
    made = {
        "LogisticRegression": lambda: linear_model.LogisticRegression().fit(x, y),
        "LinearRegression": lambda: linear_model.LinearRegression().fit(x, y),
        "StandardScaler": lambda: preprocessing.StandardScaler().fit(x),
    }[name]()
    return pickle.dumps(made)


def compressed_joblib():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed (ringfence[demo])")
    kept = io.BytesIO()
    joblib.dump({"a": 1, "b": ["x", 2.5]}, kept, compress=("gzip", 3))
    return kept.getvalue()


def onnx():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (ringfence[demo])")
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    return onnx.ModelProto.SerializeToString(helper.make_model(graph))


def hub_folder():
    weights = save({"a": np.ones(4, dtype=np.float32)})
    return {
        "config.json": b'{"architectures": ["X"], "hidden_size": 4}',
        "generation_config.json": b"{}",
        "tokenizer.json": b'{"version": "1.0"}',
        "tokenizer_config.json": json.dumps({"chat_template": TEMPLATES["chatml"]}).encode(),
        "model-00001-of-00001.safetensors": weights,
        "model.safetensors.index.json": digest.dumps({"weight_map": {"a": "model-00001-of-00001.safetensors"}}),
        "README.md": b"---\nlicense: apache-2.0\n---\n# Model\n",
    }


PLAIN = {
    "a torch checkpoint": lambda: {"model.pt": torch_checkpoint()},
    "a packed torch checkpoint": lambda: {"model.pt": torch_checkpoint(zipfile.ZIP_DEFLATED)},
    "a torch checkpoint of before its ZIPs": lambda: {"pytorch_model.bin": legacy_checkpoint()},
    "an array": lambda: {"a.npy": npy()},
    "arrays": lambda: {"a.npz": npz()},
    "pickled arrays": lambda: {"a.pkl": np.arange(6).dumps()},
    "a linear model": lambda: {"m.pkl": estimator("LinearRegression")},
    "a logistic model": lambda: {"m.pkl": estimator("LogisticRegression")},
    "a scaler": lambda: {"m.pkl": estimator("StandardScaler")},
    "plain values of joblib": lambda: {"m.joblib": compressed_joblib()},
    "safetensors": lambda: {
        "m.safetensors": save({"a": np.ones(4, dtype=np.float32), "b": np.zeros(2, dtype=np.int64)})
    },
    "GGUF": lambda: {
        "m.gguf": gguf(
            [pair("tokenizer.chat_template", 8, text(TEMPLATES["chatml"])), pair("general.name", 8, text("tiny"))],
            [described("w", [8], 0, 0)],
            bytes(32),
        )
    },
    "ONNX": lambda: {"m.onnx": onnx()},
    "a tar of arrays": lambda: {"m.tar": tarred(("a.npy", npy()), ("b/c.npy", npy()))},
    "a folder of the hub": hub_folder,
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_checkpoint_is_clean(name):
    found = report(PLAIN[name]())
    assert found.verdict is Verdict.CLEAN, [finding.text for finding in found.all_findings]


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_as_they_are_usual_are_noted_and_not_refused(name):
    found = report({"chat_template.jinja": TEMPLATES[name].encode()})
    assert [finding.code for finding in found.all_findings] == ["chat-template"], found.all_findings


def test_elements_behind_a_checkpoint_of_before_are_counted():
    data = legacy_checkpoint()
    for wrong in (data[:-1], data + b"x"):
        assert judged(wrong, "pytorch_model.bin").verdict is Verdict.REFUSED

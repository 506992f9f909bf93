import io
import json
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest
from safetensors.numpy import save

from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Verdict, Weight
from ringfence.artifacts.models.scan import scan
from ringfence.kernel import digest
from ringfence.testing.models import DISGUISED, HARMLESS, HOSTILE, gguf, judged, pair, report, safetensors, tensor, text

SAFE = save({"a": np.ones(4, dtype=np.float32)})


def zipped(files):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return kept.getvalue()


def codes(found):
    return {finding.code for finding in found.findings}


@pytest.mark.parametrize("place", ["weights.pkl", "model.safetensors", "model.gguf", "model.onnx", "notes.txt", "x"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_whatever_it_is_called(name, place):
    assert judged(HOSTILE[name], place).verdict is Verdict.REFUSED


@pytest.mark.parametrize("name", DISGUISED)
def test_a_disguised_pickle_is_refused(name):
    assert judged(DISGUISED[name], "weights.pkl").verdict is Verdict.REFUSED


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_in_an_archive_in_an_archive_is_refused(name):
    inner = zipped({"archive/data.pkl": HOSTILE[name], "archive/version": b"3\n"})
    assert judged(zipped({"inner.pt": inner}), "model.pt").verdict is Verdict.REFUSED


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not_refused(name):
    assert judged(HARMLESS[name], "weights.pkl").verdict is Verdict.CLEAN


def test_ordinary_files_are_clean():
    kept = io.BytesIO()
    np.savez(kept, a=np.ones(3))
    files = {
        "model.safetensors": (SAFE, "safetensors"),
        "model.gguf": (gguf(), "gguf"),
        "a.npz": (kept.getvalue(), "zip"),
        "README.md": (b"# A model\n", "text"),
        "empty": (b"", "empty"),
        "logo.png": (b"\x89PNG\r\n\x1a\n\x00", "picture"),
        "config.json": (b'{"hidden_size": 1.5}', "text"),
        "windows.txt": (b"ab\r\ncd\r\n", "text"),
    }
    for name, (data, kind) in files.items():
        found = judged(data, name)
        assert (found.format, found.verdict, found.findings) == (kind, Verdict.CLEAN, ()), name


def test_a_checkpoint_of_tensors_is_clean_and_its_elements_are_not_judged():
    pickle = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x04tQ"
        b"K\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR."
    )
    files = {"m/data.pkl": pickle, "m/data/0": bytes(range(16)), "m/version": b"3\n"}
    assert judged(zipped(files), "model.pt").verdict is Verdict.CLEAN
    assert judged(zipped(files | {"m/other/0": bytes(range(16))}), "model.pt").verdict is Verdict.UNKNOWN


def test_an_array_in_the_place_of_elements_is_judged():
    """`np.load` reads every member of a ZIP that begins as its own files do, whatever a pickle beside them says."""
    kept = io.BytesIO()
    np.save(kept, np.array([None], dtype=object), allow_pickle=True)
    files = {"data.pkl": b"\x80\x02}.", "data/0": kept.getvalue()}
    assert np.load(io.BytesIO(zipped(files)), allow_pickle=True)["data/0"].tolist() == [None]
    assert judged(zipped(files), "arrays.npz").verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "name", ["model.safetensors.index.fp16.json", "pytorch_model.bin.index.json", "tf_model.h5.index.json"]
)
@pytest.mark.parametrize("shard", ["../other/w.bin", "/etc/passwd", "sub/w.bin", "missing.bin", 7])
def test_an_index_of_any_format_leads_to_files_beside_it_and_nowhere_else(name, shard):
    files = {"m/w.bin": b"words", "m/sub/w.bin": b"words"}

    def found(index):
        kept = files | {f"m/{name}": json.dumps(index).encode()}
        return scan([*kept], lambda one: nullcontext(Held(kept[one]))).verdict

    assert found({"metadata": {"total_size": 1.0}, "weight_map": {"a": "w.bin"}}) is Verdict.CLEAN
    assert found({"weight_map": {"a": "w.bin", "b": shard}}) is Verdict.REFUSED
    assert found({"shards": [shard]}) is Verdict.CLEAN  # an index of something else


def test_a_file_of_two_formats_is_refused():
    archive = zipped({"a.txt": b"x"})
    assert "polyglot" in codes(judged(b"GGUF" + archive))
    assert "polyglot" in codes(judged(safetensors({"a": tensor(0, len(archive))}, archive)))
    header = safetensors({"a": tensor(0, 300)}, bytes(300))
    tar = bytearray(header)
    tar[257:262] = b"ustar"
    assert "polyglot" in codes(judged(bytes(tar)))


def test_a_pickle_whose_first_opcode_is_the_length_of_a_faultless_header_is_refused():
    # The length's lowest byte is V, which takes everything to the end of the line for a text; then } is an empty
    # dictionary, and the elements of the tensor are the rest of the pickle.
    data = HOSTILE["subprocess, protocol 0"]
    entry = digest.dumps({"a": tensor(0, len(data))})[:-1]
    header = entry + b" " * (0x156 - len(entry) - 2) + b"\n}"
    assert len(header) % 256 == ord("V")
    found = judged(safetensors(header, data), "model.safetensors")
    assert found.format == "safetensors"
    assert codes(found) == {"hidden-pickle"}


def test_names_force_the_check_of_their_format():
    for name in ("a.safetensors", "a.gguf", "a.onnx", "a.pkl"):
        assert judged(b"just words", name).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01\x00", b"MZ\x90\x00", b"\xa7\x0d\r\n\x00\x00", b"\xca\xfe\xba\xbe\x00"]
)
def test_machine_code_is_refused(data):
    assert judged(data).verdict is Verdict.REFUSED


def test_unknown_formats_are_unknown():
    for data in (b"\x89HDF\r\n\x1a\n\x00", b"\x28\xb5\x2f\xfd\x00", b"\x00\x01\x02\x03"):
        assert judged(data).verdict is Verdict.UNKNOWN


def test_programs_beside_the_weights_are_named_and_refused():
    found = report({"model.safetensors": SAFE, "modeling_x.py": b"x = 1", "config.json": b'{"auto_map": {}}'})
    assert found.verdict is Verdict.REFUSED
    assert {finding.code for finding in found.all_findings} == {"program", "remote-code"}


def test_templates_are_noted():
    found = judged(gguf([pair("tokenizer.chat_template", 8, text("{{ x }}"))]))
    assert (found.verdict, [finding.weight for finding in found.findings]) == (Verdict.CLEAN, [Weight.NOTE])


def test_objects_in_arrays_and_weights_outside_are_refused():
    kept = io.BytesIO()
    np.save(kept, np.array([{}], dtype=object), allow_pickle=True)
    assert "npy-objects" in codes(judged(kept.getvalue()))
    outside = b"\x08\x0a\x3a\x14\x2a\x12\x6a\x10\x0a\x08location\x12\x04/etc"
    assert "external-data" in codes(judged(outside))


def test_shards_and_their_index_must_agree():
    index = digest.dumps({"weight_map": {"a": "one.safetensors"}})
    files = {"one.safetensors": SAFE, "model.safetensors.index.json": index}
    assert report(files).verdict is Verdict.CLEAN
    assert report(files | {"two.safetensors": SAFE}).verdict is Verdict.REFUSED
    assert report({"sub/one.safetensors": SAFE, "model.safetensors.index.json": index}).verdict is Verdict.REFUSED


def test_archives_in_archives_end():
    data = b"words"
    for _ in range(6):
        data = zipped({"a.zip": data})
    assert judged(data).verdict is Verdict.REFUSED


def test_what_others_wrote_is_made_printable_and_short():
    found = judged(b"\x80\x04c" + b"\x1b[31m" + b"x" * 5000 + b"\nsystem\n.", "a.pkl")
    for finding in found.findings:
        assert finding.text.isprintable()
        assert len(finding.text) <= 401


def test_no_file_at_all_is_refused():
    assert report({}).verdict is Verdict.REFUSED


def test_all_indexes_together_have_a_limit():
    whole = []

    class Holes:
        size = 40 * 2**20

        def read(self, offset, size):
            if size == self.size:
                whole.append(offset)
            return bytes(min(size, self.size - offset))

    names = [f"{number}.safetensors.index.json" for number in range(8)]
    found = scan(names, lambda _name: nullcontext(Holes()))
    assert [finding.code for finding in found.findings] == ["index"] * 8
    assert len(whole) == 8 + 1  # each is looked at as text, and one is kept

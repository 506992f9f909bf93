"""Files that do harm, or would hide that they do, to whoever loads them; made by hand, one for each way. Never loaded.

What they would run is `true`, and a name is only ever looked up by a loader: none of them is a working attack.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from ringfence.artifacts.models.pickles import LEGACY
from ringfence.testing.models import described, gguf, importing, pair, safetensors, tensor, text

EVIL = importing("posix", "system")
BOMB = 2**26 + 2**20  # what it would grow to; the file has a thousandth

# Every callable here runs, loads, fetches, writes or builds code when a pickle calls it.
CALLABLES: tuple[tuple[str, str], ...] = (
    ("builtins", "__import__"),
    ("builtins", "exec"),
    ("builtins", "compile"),
    ("builtins", "getattr"),
    ("builtins", "open"),
    ("__builtin__", "apply"),
    ("os", "execv"),
    ("os", "popen"),
    ("os", "posix_spawn"),
    ("nt", "system"),
    ("pty", "spawn"),
    ("subprocess", "check_output"),
    ("asyncio.subprocess", "create_subprocess_shell"),
    ("commands", "getoutput"),
    ("runpy", "run_path"),
    ("imp", "load_source"),
    ("importlib.machinery", "SourceFileLoader"),
    ("ctypes", "CDLL"),
    ("_ctypes", "dlopen"),
    ("cffi", "FFI"),
    ("types", "FunctionType"),
    ("types", "CodeType"),
    ("marshal", "loads"),
    ("code", "InteractiveInterpreter"),
    ("timeit", "timeit"),
    ("cProfile", "run"),
    ("pdb", "run"),
    ("bdb", "Bdb"),
    ("doctest", "debug_script"),
    ("trace", "Trace"),
    ("site", "addsitedir"),
    ("venv", "create"),
    ("ensurepip", "_run_pip"),
    ("pip._internal", "main"),
    ("logging.config", "listen"),
    ("socket", "create_connection"),
    ("urllib.request", "urlopen"),
    ("http.client", "HTTPSConnection"),
    ("requests.api", "get"),
    ("ftplib", "FTP"),
    ("smtplib", "SMTP"),
    ("webbrowser", "open"),
    ("shutil", "rmtree"),
    ("pathlib", "Path"),
    ("tempfile", "mkdtemp"),
    ("distutils.file_util", "write_file"),
    ("linecache", "getline"),
    ("operator", "methodcaller"),
    ("operator", "attrgetter"),
    ("functools", "partial"),
    ("functools", "reduce"),
    ("itertools", "starmap"),
    ("copyreg", "_reconstructor"),
    ("pickle", "loads"),
    ("_pickle", "Unpickler"),
    ("dill._dill", "_load_type"),
    ("cloudpickle.cloudpickle", "_builtin_type"),
    ("shelve", "open"),
    ("joblib", "load"),
    ("yaml", "unsafe_load"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy.f2py.crackfortran", "getlincoef"),
    ("pandas.core.computation.eval", "eval"),
    ("torch", "load"),
    ("torch.hub", "load"),
    ("torch.jit", "load"),
    ("torch.serialization", "load"),
    ("torch.utils._config_module", "load_config"),
    ("torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"),
    ("torch._dynamo.guards", "GuardBuilder.get"),
    ("torch._inductor.codecache", "compile_file"),
    ("torch.distributed.rpc", "rpc_sync"),
    ("keras.models", "load_model"),
    ("tensorflow.python.ops.gen_io_ops", "read_file"),
    ("transformers.utils", "cached_file"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
    ("sklearn.tree._tree", "Tree"),
    ("onnxruntime", "InferenceSession"),
    ("multiprocessing.util", "spawnv_passfds"),
    ("concurrent.futures.process", "_process_worker"),
    ("jinja2", "Template"),
    ("gc", "get_objects"),
    ("sys", "_getframe"),
    ("inspect", "getsource"),
    ("zipimport", "zipimporter"),
    ("pydoc", "pipepager"),
    ("antigravity", "geohash"),
)


def short(value: str) -> bytes:
    """Return the opcode that pushes a short text."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


_NAMES = short("posix") + b"\x94" + short("system") + b"\x94"
STREAMS: Mapping[str, bytes] = {
    "an object made without a call": b"\x80\x02csubprocess\nPopen\n)\x81.",
    "an object made with keywords": b"\x80\x04" + short("subprocess") + short("Popen") + b"\x93)}\x92.",
    "the oldest way to make an object": b"(csubprocess\nPopen\nS'true'\no.",
    "state for an object of a stranger": b"\x80\x02cevil\nThing\n)\x81}b.",
    "a class that is only named": b"\x80\x02cevil\nThing\n.",
    "an import that is thrown away": b"\x80\x02cevil\nThing\n0N.",
    "an import below a mark that is popped": b"\x80\x02(cevil\nThing\n1N.",
    "names from a memo that was written over": b"\x80\x04" + _NAMES + b"h\x00h\x01\x93" + short("true") + b"\x85R.",
    "names from a memo with large numbers": (
        b"\x80\x04" + short("posix") + b"r\xff\xff\xff\x7f" + short("system") + b"r\xfe\xff\xff\x7f"
        b"0j\xff\xff\xff\x7fj\xfe\xff\xff\x7f\x93" + short("true") + b"\x85R."
    ),
    "a memo place in text": b"Vposix\np7\n0Vsystem\np8\n0g7\ng8\n\x93Vtrue\n\x85R.",
    "a copy of a name": b"\x80\x04" + short("posix") + b"2" + short("system") + b"\x93.",
    "names out of a tuple": b"\x80\x04" + short("posix") + short("system") + b"\x86" + b"\x93.",
    "names as bytes": b"\x80\x04C\x05posixC\x06system\x93.",
    "names of the second protocol's strings": b"\x80\x02U\x05posixU\x06system\x93(U\x04truetR.",
    "a long form of a short name": (
        b"\x80\x04X\x05\x00\x00\x00posixX\x06\x00\x00\x00system\x93X\x04\x00\x00\x00true\x85R."
    ),
    "a longer form still": (
        b"\x80\x04\x8d"
        + struct.pack("<Q", 5)
        + b"posix\x8d"
        + struct.pack("<Q", 6)
        + b"system\x93"
        + short("true")
        + b"\x85R."
    ),
    "a frame that is a lie": b"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00"
    + _NAMES
    + b"\x93"
    + short("true")
    + b"\x85R.",
    "a frame that is too long": b"\x80\x04\x95" + b"\xff" * 8 + _NAMES + b"\x93" + short("true") + b"\x85R.",
    "the protocol named twice": b"\x80\x02\x80\x04" + _NAMES + b"\x93" + short("true") + b"\x85R.",
    "a protocol to come": b"\x80\x06" + _NAMES + b"\x93" + short("true") + b"\x85R.",
    "an opcode that nobody knows": b"\x80\x04" + _NAMES + b"\x93" + short("true") + b"\x85R\xfe.",
    "an end that is missing": EVIL[:-1],
    "a stack that runs empty": EVIL[:-1] + b"0000.",
    "a mark that is missing": EVIL[:-1] + b"t.",
    "a memo that is empty": EVIL[:-1] + b"h\x09.",
    "text that is no text": b"\x80\x04\x8c\x02\xff\xfe0" + EVIL[2:],
    "a number that is none": b"Ixyz\n0" + b"cos\nsystem\n(S'true'\ntR.",
    "a float that is none": b"Fxyz\n0" + b"cos\nsystem\n(S'true'\ntR.",
    "a length below zero": b"\x80\x02T\xff\xff\xff\xff" + EVIL[2:],
    "a long number without an end": b"\x80\x02\x8b\xff\xff\xff\x7f" + EVIL[2:],
    "a buffer from outside": b"\x80\x05\x97\x98" + EVIL[2:],
    "something to look up, in text": b"\x80\x02Pposix.system\n.",
    "something to look up, and no model": b"\x80\x02U\x06systemQ.",
    "one byte of the registry": b"\x80\x02\x82\x01).",
    "two bytes of the registry": b"\x80\x02\x83\x01\x01).",
    "four bytes of the registry": b"\x80\x02\x84\x01\x01\x01\x01).",
    "a pickle in a pickle": importing("pickle", "loads", b"B" + struct.pack("<I", len(EVIL)) + EVIL),
    "a second pickle": b"\x80\x02N." + EVIL,
    "a second pickle of another protocol": b"\x80\x02N.cos\nsystem\n(S'true'\ntR.",
    "torch's magic and then another object": LEGACY + EVIL,
    "torch's elements with a pickle behind": LEGACY + b"\x80\x02M\xe9\x03.\x80\x02}.\x80\x02N.\x80\x02].'" + EVIL,
    "torch's keys that are a call": LEGACY + b"\x80\x02M\xe9\x03.\x80\x02}.\x80\x02N." + EVIL,
    "a name in another script": "\u0441os\nsystem\n(S'true'\ntR.".encode(),
    "an allowed module's other name": importing("collections", "abc"),
    "an allowed name's attribute": importing("builtins", "set.__class__"),
    "an allowed pair the other way round": importing("OrderedDict", "collections"),
    "an allowed module with a space": b"cbuiltins \nset\n.",
}


def zipped(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a ZIP; a name may stand twice."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", method) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            archive.writestr(entry, data)
    return kept.getvalue()


def tarred(*files: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return a tar."""
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w", format=form) as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(data), kind
            entry.linkname = "../../etc/passwd" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
            archive.addfile(entry, io.BytesIO(data))
    return kept.getvalue()


def old_tar(name: str, data: bytes) -> bytes:
    """Return a tar of before POSIX, which has no mark."""
    made = bytearray(tarred((name, data)))
    made[257:512] = bytes(255)
    made[148:156] = b"%06o\0 " % (sum(made[:148]) + sum(made[156:512]) + 8 * ord(" "))
    return bytes(made)


def between(first: bytes, hidden: bytes) -> bytes:
    """Return a ZIP whose directory does not know of bytes that lie before it."""
    at = first.rfind(b"PK\x01\x02")
    end = bytearray(first[at:])
    place = end.rfind(b"PK\x05\x06") + 16
    end[place : place + 4] = struct.pack("<I", at + len(hidden))
    return first[:at] + hidden + bytes(end)


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """Return data with other bytes at a place, counted from the end where it is negative."""
    begin = at % len(data)
    return data[:begin] + value + data[begin + len(value) :]


_ONE = zipped([("archive/data.pkl", b"\x80\x02N.")])
_TORCH = zipped([("archive/data.pkl", EVIL), ("archive/version", b"3\n")])
_LAMBDA = {
    "class_name": "Functional",
    "config": {"layers": [{"class_name": "Lambda", "config": {"function": ["4wEA"]}}]},
}
_MODULE = {"class_name": "Thing", "module": "os", "config": {}}
_SAFE = {"a": tensor(0, 4)}
_TEMPLATES: Mapping[str, str] = {
    "classes of everything": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an attribute by a filter": "{{ cycler|attr('x') }}",
    "a name in escapes": "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "a name that is put together": "{{ x['_' ~ '_class_' ~ '_'] }}",
    "a name that is joined": "{{ x[['_','_class_','_']|join] }}",
    "globals of a function": "{{ namespace.init.globals['os'].popen('true').read() }}",
    "lipsum": "{{ lipsum }}",
    "itself": "{{ self }}",
    "another file": "{% include '/etc/passwd' %}",
    "an attribute by map": "{{ [x]|map(attribute='__class__')|list }}",
    "map that applies a filter": "{{ [x]|map('attr', 'y')|list }}",
    "a call of what it computes": "{{ (x.y or z)() }}",
    "no template": "{% if %}",
}
FILES: Mapping[str, tuple[str, bytes]] = {
    **{f"calls {module}.{name}": ("weights.bin", importing(module, name)) for module, name in CALLABLES},
    **{name: ("weights.pkl", data) for name, data in STREAMS.items()},
    "a pickle called safetensors": ("model.safetensors", EVIL),
    "a pickle called a picture": ("logo.png", EVIL),
    "a pickle called a text": ("notes.txt", b"cos\nsystem\n(S'true'\ntR."),
    "a pickle in a checkpoint": ("model.pt", _TORCH),
    "a pickle in a packed checkpoint": ("model.pt", zipped([("archive/data.pkl", EVIL)], zipfile.ZIP_DEFLATED)),
    "a pickle beside the elements": ("model.pt", zipped([("m/data.pkl", b"\x80\x02N."), ("m/data/x", EVIL)])),
    "a pickle in an archive in an archive": ("x.zip", zipped([("model.pt", _TORCH)])),
    "a pickle in gzip": ("model.joblib", gzip.compress(EVIL, mtime=0)),
    "a pickle in zlib": ("model.joblib", zlib.compress(EVIL)),
    "a pickle in bzip2": ("model.joblib", bz2.compress(EVIL)),
    "a pickle in xz": ("model.joblib", lzma.compress(EVIL)),
    "a pickle in lzma": ("model.joblib", lzma.compress(EVIL, lzma.FORMAT_ALONE)),
    "a pickle in the second gzip stream": ("m.pkl.gz", gzip.compress(b"", mtime=0) + gzip.compress(EVIL, mtime=0)),
    "a pickle in gzip in xz": ("model.joblib", lzma.compress(gzip.compress(EVIL, mtime=0))),
    "gzip that breaks off behind the call": ("model.joblib", gzip.compress(EVIL + bytes(9000), mtime=0)[:-12]),
    "a bomb in gzip": ("model.joblib", gzip.compress(bytes(BOMB), mtime=0)),
    "a bomb in bzip2": ("model.joblib", bz2.compress(bytes(BOMB))),
    "a pickle in torch's tar": ("model.tar", tarred(("storages", b"\x80\x02K\x00."), ("pickle", EVIL))),
    "a pickle in a tar without a mark": ("model.bin", old_tar("pickle", EVIL)),
    "a tar behind the end of another": ("model.tar", tarred(("a", b"x")) + tarred(("pickle", EVIL))),
    "a link in a tar": ("model.tar", tarred(("a", b""), kind=tarfile.SYMTYPE)),
    "a hard link in a tar": ("model.tar", tarred(("a", b""), kind=tarfile.LNKTYPE)),
    "a device in a tar": ("model.tar", tarred(("a", b""), kind=tarfile.CHRTYPE)),
    "a name in a tar that climbs": ("model.tar", tarred(("../a", b"x"))),
    "a name in a tar that only some follow": ("m.tar", tarred(("ä" * 120, b"x"), form=tarfile.PAX_FORMAT)),
    "a name in a tar twice": ("model.tar", tarred(("a", b"x"), ("a", b"y"))),
    "a name in a ZIP that climbs": ("model.zip", zipped([("../../a", b"x")])),
    "a name in a ZIP from the root": ("model.zip", zipped([("/etc/a", b"x")])),
    "a name in a ZIP with a drive": ("model.zip", zipped([("C:a", b"x")])),
    "a name in a ZIP twice": ("model.zip", zipped([("a", b"x"), ("b", b"y")]).replace(b"b", b"a")),
    "a ZIP within the comment of another": ("m.pt", patched(_ONE, -2, struct.pack("<H", len(_TORCH))) + _TORCH),
    "two directories": ("model.pt", _ONE + _TORCH),
    "a member that the directory leaves out": ("model.pt", between(_ONE, _TORCH[: _TORCH.find(b"PK\x01\x02")])),
    "a member that is encrypted": ("model.pt", patched(_ONE, _ONE.rfind(b"PK\x01\x02") + 8, b"\x01")),
    "a member packed in another way": ("model.pt", zipped([("data.pkl", EVIL)], zipfile.ZIP_LZMA)),
    "two headers that differ": ("model.pt", patched(_ONE, 30, b"A")),
    "two sizes that differ": ("model.pt", patched(_ONE, 22, b"\x01")),
    "a folder with bytes of its own": (
        "m.pt",
        patched(_TORCH.replace(b"archive/data.pkl", b"archive/data.pk/"), 0, b"P"),
    ),
    "a ZIP with another file before it": ("model.pt", b"\x80\x02N." + _ONE),
    "a ZIP behind safetensors": ("m.safetensors", safetensors({"a": tensor(0, len(_ONE))}, _ONE)),
    "a ZIP behind GGUF": ("model.gguf", gguf([pair("a", 8, text("b"))], [described("w", [8], 0, 0)], bytes(32)) + _ONE),
    "a pickle behind the header's length": ("a.safetensors", b"N0" + bytes(6) + b"{}" + EVIL),
    "a name in safetensors twice": (
        "a.safetensors",
        safetensors(
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' * 1
            + b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            b"x",
        ),
    ),
    "tensors that overlap": ("a.safetensors", safetensors({"a": tensor(0, 4), "b": tensor(2, 6)}, bytes(6))),
    "a hole between tensors": ("a.safetensors", safetensors({"a": tensor(0, 4), "b": tensor(6, 8)}, bytes(8))),
    "bytes behind the last tensor": ("a.safetensors", safetensors(_SAFE, bytes(5))),
    "a header without an end": ("a.safetensors", struct.pack("<Q", 2**40) + b"{}"),
    "a shape that is not its size": ("a.safetensors", safetensors({"a": tensor(0, 4, shape=[2**62, 4])}, bytes(4))),
    "a GGUF with more tensors than bytes": ("m.gguf", gguf(counts=(2**60, 0))),
    "a GGUF with a text without an end": ("m.gguf", gguf([text("a") + struct.pack("<IQ", 8, 2**63)])),
    "a GGUF with arrays in arrays": ("m.gguf", gguf([text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 9])),
    "a GGUF with a key twice": ("m.gguf", gguf([pair("a", 0, b"x"), pair("a", 0, b"x")])),
    "a GGUF with tensors that overlap": (
        "m.gguf",
        gguf([], [described("a", [8], 0, 0), described("b", [8], 0, 0)], bytes(32)),
    ),
    "weights of ONNX anywhere": ("m.onnx", b"\x08\x0a\x3a\x14\x2a\x12\x6a\x10\x0a\x08location\x12\x04/etc"),
    "an operator of a stranger": ("m.onnx", b"\x08\x0a\x3a\x08\x0a\x06\x3a\x04evil"),
    "an array of objects": (
        "a.npy",
        b"\x93NUMPY\x01\x00\x46\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69)
        + b"\n"
        + EVIL,
    ),
    "an array of objects in an archive": (
        "a.npz",
        zipped(
            [
                (
                    "a.npy",
                    b"\x93NUMPY\x01\x00\x46\x00"
                    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69)
                    + b"\n",
                )
            ]
        ),
    ),
    "an array whose header runs": (
        "a.npy",
        b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': __import__('os').system('true'), }".ljust(69) + b"\n",
    ),
    "a layer of Keras that is Python": ("config.json", json.dumps(_LAMBDA).encode()),
    "the same in an archive of Keras": ("m.keras", zipped([("config.json", json.dumps(_LAMBDA).encode())])),
    "the same in escapes": ("config.json", json.dumps(_LAMBDA).replace("Lambda", "\\u004cambda").encode()),
    "the same in HDF5": ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(2000) + json.dumps(_LAMBDA).encode() + bytes(20)),
    "a module that Keras would import": ("m.keras", zipped([("config.json", json.dumps(_MODULE).encode())])),
    "a folder's own code": ("modeling_x.py", b"import os\n"),
    "code without an ending": ("setup", b"import os\nos.system('true')\n"),
    "code of TorchScript": (
        "m.pt",
        zipped([("m/data.pkl", b"\x80\x02N."), ("m/code/__torch__.py", b"def f(): pass\n")]),
    ),
    "auto_map": ("config.json", b'{"auto_map": {"AutoModel": "modeling_x.X"}}'),
    "auto_map in escapes": ("config.json", b'{"auto_m\\u0061p": {"AutoModel": "x.X"}}'),
    "trust_remote_code": ("config.json", b'{"trust_remote_code": true}'),
    "a pipeline of its own": ("config.json", b'{"custom_pipelines": {"x": {"impl": "x.X"}}}'),
    "YAML that builds objects": ("config.yaml", b"a: !!python/object/apply:os.system [true]\n"),
    "a library": ("ops.so", b"\x7fELF\x02\x01\x01" + bytes(9)),
    "a library under another name": ("weights.bin", b"\x7fELF\x02\x01\x01" + bytes(9)),
    "compiled Python": ("x.bin", b"\xa7\x0d\x0d\x0a" + bytes(12)),
    **{f"a template: {name}": ("chat_template.jinja", value.encode()) for name, value in _TEMPLATES.items()},
    **{
        f"a template in a configuration: {name}": (
            "tokenizer_config.json",
            json.dumps({"chat_template": value}).encode(),
        )
        for name, value in _TEMPLATES.items()
    },
    **{
        f"a template in GGUF: {name}": ("m.gguf", gguf([pair("tokenizer.chat_template", 8, text(value))]))
        for name, value in _TEMPLATES.items()
    },
}

"""Checkpoints as people have them, made without the libraries that write them; and chat templates as they are usual."""

import struct
import zipfile
from collections.abc import Mapping

from ringfence.artifacts.models.pickles import LEGACY
from ringfence.testing.hostile import short, zipped


def _tensor(key: str, begin: bytes, shape: int) -> bytes:
    """Return the opcodes that rebuild a vector of floats from a storage."""
    storage = (
        b"(" + short("storage") + b"ctorch\nFloatStorage\n" + short(key) + short("cpu") + b"K" + bytes([shape]) + b"tQ"
    )
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K" + bytes([shape]) + b"\x85K\x01\x85\x89"
    return begin + rebuilt + b"ccollections\nOrderedDict\n)RtR"


def _state() -> bytes:
    """Return a dictionary of two tensors, as `state_dict` has it."""
    entries = _tensor("0", short("layer.weight"), 4) + _tensor("1", short("layer.bias"), 2)
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + entries + b"u."


def torch_checkpoint(method: int = zipfile.ZIP_STORED) -> bytes:
    """Return what torch.save writes today."""
    files = [
        ("archive/data.pkl", _state()),
        ("archive/byteorder", b"little"),
        ("archive/data/0", struct.pack("<4f", 1, 2, 3, 4)),
        ("archive/data/1", struct.pack("<2f", 5, 6)),
        ("archive/version", b"3\n"),
        ("archive/.data/serialization_id", b"0123456789"),
    ]
    return zipped(files, method)


def legacy_checkpoint() -> bytes:
    """Return what torch.save wrote before its ZIPs."""
    system = b"\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\x0d\x00\x00\x00little_endianq\x02\x88u."
    keys = b"\x80\x02]q\x00(X\x01\x00\x00\x000q\x01X\x01\x00\x00\x001q\x02e."
    elements = struct.pack("<q4f", 4, 1, 2, 3, 4) + struct.pack("<q2f", 2, 5, 6)
    return LEGACY + b"\x80\x02M\xe9\x03." + system + _state() + keys + elements


TEMPLATES: Mapping[str, str] = {
    "chatml": (
        "{% for message in messages %}"
        "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
    "turns": (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
        "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
        "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    ),
    "tools": (
        "{%- set ns = namespace(last=messages|length - 1, multi=true) %}"
        "{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}"
        "{%- if ns.multi and message.role == 'user' and message.content is string "
        "and not(message.content.startswith('<t>')) %}"
        "{%- set ns.multi = false %}{%- set ns.last = index %}{%- endif %}{%- endfor %}"
        "{%- if tools %}{{- tools | tojson(indent=4) }}{%- endif %}"
        "{%- for call in message.tool_calls %}{{- call.function.name }}{{- call.arguments | items | list }}"
        "{%- endfor %}"
        "{{- strftime_now('%d %b %Y') }}{%- set parts = content.split('</think>')[-1].lstrip('\\n') %}{{- parts[0] }}"
    ),
    "macros": (
        "{%- macro show(properties, required) -%}{%- for key, value in properties | dictsort -%}{{ key }}:"
        "{%- if value['type'] | upper == 'ARRAY' -%}{{ show(value['items'], []) }}{%- endif -%}"
        "{%- endfor -%}{%- endmacro -%}"
        "{{ show(tools[0].function.parameters.properties, []) }}{% generation %}{{ message.content }}"
        "{% endgeneration %}"
        "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(', ') }}"
    ),
}

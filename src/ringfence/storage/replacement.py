"""One key of a key file while another takes its place: which of its names holds what. Pure.

`<name>` is the seed in use; `<name>.next` the one to come; `<name>.old` the id of the one that goes, as text. A key in
a token has `.token` behind its name, and the place in the token as its value; `<name>.old.token` is the place of the
one that goes.
"""

from collections.abc import Mapping

from ringfence.storage.tokensigner import IN_TOKEN

NEXT, OLD = ".next", ".old"
Secrets = Mapping[str, bytes]


def is_begun(held: Secrets, name: str) -> bool:
    """Return whether a key is being replaced."""
    return any(name + ending in held for ending in (NEXT, NEXT + IN_TOKEN, OLD))


def switched(held: Secrets, name: str, old: str) -> dict[str, bytes]:
    """Return the secrets with the key to come in the place of the one that goes, of which the id is kept."""
    after = {key: value for key, value in held.items() if key not in _forms(name) + _forms(name + NEXT)}
    for form in ("", IN_TOKEN):
        if name + NEXT + form in held:
            after[name + form] = held[name + NEXT + form]
    if name + IN_TOKEN in held:
        after[name + OLD + IN_TOKEN] = held[name + IN_TOKEN]
    return after | {name + OLD: old.encode("ascii")}


def finished(held: Secrets, name: str) -> dict[str, bytes]:
    """Return the secrets without what was kept of the key that is gone."""
    return {key: value for key, value in held.items() if key not in _forms(name + OLD)}


def _forms(name: str) -> tuple[str, str]:
    return name, name + IN_TOKEN

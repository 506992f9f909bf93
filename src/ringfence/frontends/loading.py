"""Modules that a verb needs, imported when it is called."""

import gc
import sys
from importlib import import_module
from types import ModuleType


def loaded(name: str) -> ModuleType:
    """Import a module, and all that it imports, without a search for garbage among them: they stay until the end.

    A sixth of the time of a verb went into such searches; what is loaded is left out of the later ones as well.
    """
    if name in sys.modules or not gc.isenabled():
        return import_module(name)
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()

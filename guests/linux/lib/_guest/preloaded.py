"""Imports what the session asked for, before the snapshot that its runs are restored from."""

import gc
import importlib
import sys

from .run import report


def preloaded(names):
    """0, or 1 with the traceback on stderr."""
    for name in names.decode().split():
        try:
            importlib.import_module(name)
        except BaseException as error:
            return report(error)
    if "matplotlib.pyplot" in sys.modules:
        _fonts()
    gc.collect()
    gc.freeze()
    return 0


def _fonts():
    """The first figure looks all fonts up; that too is the same for every run."""
    import matplotlib.font_manager

    matplotlib.font_manager.findfont("sans-serif")

"""What the sandbox lacks says so, and what only one processor and no screen suggest is preset."""

import os
import sys

_WHY = {
    "tkinter": "the sandbox has no screen",
    "_tkinter": "the sandbox has no screen",
    "turtle": "the sandbox has no screen",
    "curses": "the sandbox has no terminal",
    "_curses": "the sandbox has no terminal",
    "readline": "the sandbox has no terminal",
    "ensurepip": "libraries are installed by the host",
    "venv": "libraries are installed by the host",
}


class _Missing:
    """Last on sys.meta_path: names the reason for a module that every other CPython has."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        why = _WHY.get(name)
        if why is not None:
            raise ModuleNotFoundError(f"No module named {name!r}: {why}", name=name)
        return None


def install():
    sys.meta_path.append(_Missing)


def environment():
    os.environ.update(
        MPLBACKEND="Agg",
        MPLCONFIGDIR="/tmp/.cache/matplotlib",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        XDG_CACHE_HOME="/tmp/.cache",
    )

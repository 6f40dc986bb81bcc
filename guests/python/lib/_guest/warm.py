"""Runs a small program ahead of the session, so that the pages it dirties are already this instance's own.

Every page touched here is a copy that each live session keeps: the program does what nearly all do, and no more."""

import _mote
import sys

from .attach import attach
from .run import new_main, run

_PROGRAM = b"""
def double(value):
    return value * 2
words = {str(n): double(n) for n in range(3)}
print(f"{len(words)} words", words)
"""


def warm():
    main = sys.modules["__main__"]
    _mote.mute(True)
    try:
        new_main()
        attach()
        run(_PROGRAM)
    finally:
        sys.modules["__main__"] = main
        _mote.mute(False)

"""Runs a small program ahead of the session, so that the pages it dirties are already this instance's own."""

import _mote
import sys

from .run import execute, new_main

_PROGRAM = b"""
import json, math
def total(values):
    return sum(value * 2 for value in values)
class Point:
    def __init__(self, x):
        self.x = x
points = [Point(i) for i in range(64)]
table = {str(p.x): p.x / 3 for p in points}
text = json.dumps({"total": total([p.x for p in points]), "words": "a b c".split()})
try:
    int("x")
except ValueError as error:
    text += f"{error} {math.sqrt(2):.3f}"
print(text, sorted(table)[:3])
print("hi")
"""


def warm():
    main = sys.modules["__main__"]
    _mote.mute(True)
    try:
        execute(_PROGRAM, new_main())
        sys.stdout.flush()
    finally:
        sys.modules["__main__"] = main
        _mote.mute(False)

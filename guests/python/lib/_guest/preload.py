"""Modules that common programs import: in the snapshot they cost nothing at run time."""

import importlib

_NAMES = """
abc argparse array ast asyncio base64 bisect calendar collections collections.abc contextlib copy csv dataclasses
datetime decimal enum fractions functools glob hashlib heapq html importlib.metadata importlib.resources inspect io
itertools json linecache locale logging math numbers operator os pathlib pickle platform pprint queue random re
secrets shutil statistics string struct sys tempfile textwrap threading time timeit traceback types typing
unicodedata urllib.parse uuid warnings weakref zipfile zlib
"""


def modules():
    for name in _NAMES.split():
        importlib.import_module(name)

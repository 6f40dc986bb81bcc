"""Stages the guest's read-only tree: the pure standard library and _guest as .pyc files, and the time zones.

usage: python3.11 -I -S stdlib.py SOURCE_LIB OWN_LIB TZDATA_WHEEL TREE
"""

import importlib.util
import marshal
import os
import shutil
import sys
import zipfile

# What needs a screen, a terminal, native libraries or an installer, and what only serves CPython's own development.
LEFT_OUT = {
    "__phello__", "ctypes", "curses", "ensurepip", "idlelib", "lib2to3", "msilib", "pydoc_data", "test", "tests", "tkinter",
    "turtledemo", "venv", "__pycache__", "site-packages", "lib-dynload", "idle_test",
    "antigravity.py", "ntpath.py.orig", "pty.py", "ssl.py", "tty.py", "turtle.py", "winreg.py",
    "_aix_support.py", "_bootsubprocess.py", "_msi.py", "_osx_support.py",
}
DATA = {".txt", ".grammar"}

# sysconfig reads this module; the real one names the machine that built the interpreter.
SYSCONFIG = b"""build_time_vars = {
    "EXT_SUFFIX": ".cpython-311-wasm32-wasi.so", "SOABI": "cpython-311-wasm32-wasi", "MULTIARCH": "wasm32-wasi",
    "Py_DEBUG": 0, "Py_ENABLE_SHARED": 0, "WITH_PYMALLOC": 1, "TZPATH": "/usr/share/zoneinfo",
}
"""
SYSCONFIG_NAME = "/lib/python3.11/_sysconfigdata__wasi_wasm32-wasi"


def compiled(source, name):
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    # Unchecked hash: no stat of a source that is not there, and the same bytes from every build.
    header = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def stage(source, tree, place):
    for entry in sorted(os.listdir(source)):
        path = os.path.join(source, entry)
        if entry in LEFT_OUT:
            continue
        if os.path.isdir(path):
            stage(path, tree, f"{place}/{entry}")
            continue
        stem, extension = os.path.splitext(entry)
        if extension == ".py":
            with open(path, "rb") as file:
                put(tree, f"{place}/{stem}.pyc", compiled(file.read(), f"{place}/{entry}"))
        elif extension in DATA:
            with open(path, "rb") as file:
                put(tree, f"{place}/{entry}", file.read())


def put(tree, place, data):
    path = tree + place
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def stage_zones(wheel, tree):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            zone = name.removeprefix("tzdata/zoneinfo/")
            if zone != name and not zone.endswith(("/", ".py", ".tab", ".zi", ".list")) and zone != "leapseconds":
                put(tree, f"/usr/share/zoneinfo/{zone}", archive.read(name))


def main(source, own, wheel, tree):
    shutil.rmtree(tree, ignore_errors=True)
    stage(source, tree, "/lib/python3.11")
    stage(own, tree, "/lib/python3.11")
    put(tree, SYSCONFIG_NAME + ".pyc", compiled(SYSCONFIG, SYSCONFIG_NAME + ".py"))
    stage_zones(wheel, tree)


main(*sys.argv[1:])

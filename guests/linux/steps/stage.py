"""Stages the guest's root file system and writes it as a cpio archive.

usage: python3.11 -I -S stage.py DEBIAN_TREE DRIVER OWN_LIB... TZDATA_WHEEL ARCHIVE
"""

import importlib.util
import marshal
import os
import re
import subprocess
import sys
import zipfile

LIBRARY = "/lib/python3.11"
MULTIARCH = "lib/x86_64-linux-gnu"

# What needs a screen or an installer, and what only serves CPython's own development.
LEFT_OUT = {
    "__phello__", "__pycache__", "dist-packages", "ensurepip", "idle_test", "idlelib", "lib2to3", "msilib", "pydoc_data",
    "site-packages", "test", "tests", "tkinter", "turtledemo", "venv", "antigravity.py", "turtle.py", "winreg.py",
    "_aix_support.py", "_bootsubprocess.py", "_msi.py", "_osx_support.py",
}
NO_MODULES = re.compile(r"_(test|xx|tkinter|curses|dbm|gdbm|ctypes_test)|xx|readline|nis|ossaudiodev")
DATA = {".txt", ".grammar"}

# What wheels look up by name, though libc has most of it inside.
FOR_WHEELS = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libstdc++.so.6",
              "libgcc_s.so.1", "libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2")

FILES = {
    "/etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": b"hosts: files dns\n",
    "/etc/resolv.conf": b"nameserver 1.1.1.1\nnameserver 8.8.8.8\noptions single-request\n",
}
DIRECTORIES = ("/sandbox", "/tmp", "/mote", "/site-packages", "/mnt", "/dev", "/proc")


class Tree:
    """Path to bytes, or None for a directory, and which of them are programs."""

    def __init__(self):
        self.entries = {}

    def put(self, path, data, mode=0o444):
        parent = os.path.dirname(path)
        if parent != "/" and parent not in self.entries:
            self.directory(parent)
        self.entries[path] = (0o100000 | mode, data)

    def directory(self, path):
        parent = os.path.dirname(path)
        if parent != "/" and parent not in self.entries:
            self.directory(parent)
        self.entries[path] = (0o040755, b"")

    def link(self, path, target):
        self.put(path, target.encode())
        self.entries[path] = (0o120777, target.encode())

    def cpio(self):
        out = bytearray()
        for number, path in enumerate(sorted(self.entries), 1):
            mode, data = self.entries[path]
            _member(out, path[1:], number, mode, data)
        _member(out, "TRAILER!!!", 0, 0, b"")
        return bytes(out)


def _member(out, name, number, mode, data):
    encoded = name.encode() + b"\0"
    links = 2 if mode & 0o040000 and not mode & 0o100000 else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    out += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    out += bytes(-len(out) % 4)
    out += data
    out += bytes(-len(out) % 4)


def compiled(source, name):
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    # Unchecked hash: no stat of a source that is not there, and the same bytes from every build.
    header = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def stage_python(source, tree, place):
    for entry in sorted(os.listdir(source)):
        path = os.path.join(source, entry)
        if entry in LEFT_OUT:
            continue
        if os.path.isdir(path):
            if entry != "lib-dynload" and not entry.startswith("config-"):
                stage_python(path, tree, f"{place}/{entry}")
            continue
        stem, extension = os.path.splitext(entry)
        if extension == ".py":
            tree.put(f"{place}/{stem}.pyc", compiled(read(path), f"{place}/{entry}"))
        elif extension in DATA:
            tree.put(f"{place}/{entry}", read(path))


class Libraries:
    """Shared libraries by the names that others ask for."""

    def __init__(self, debian, tree):
        self.tree = tree
        self.done = set()
        self.places = [os.path.join(debian, folder) for folder in (MULTIARCH, "usr/" + MULTIARCH)]

    def find(self, name):
        for place in self.places:
            path = os.path.join(place, name)
            if os.path.exists(path):
                return os.path.realpath(path)
        raise SystemExit(f"Cannot stage {name}: no package has it")

    def need(self, *files):
        for file in files:
            said = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
            for name in re.findall(r"\(NEEDED\).*\[(.+)\]", said):
                self.add(name)

    def add(self, name):
        if name in self.done or name.startswith("ld-linux"):
            return
        self.done.add(name)
        path = self.find(name)
        self.tree.put(f"/{MULTIARCH}/{name}", read(path), 0o555)
        self.need(path)


def stage_modules(source, tree, libraries):
    for entry in sorted(os.listdir(source)):
        if entry.endswith(".so") and not NO_MODULES.match(entry):
            path = os.path.join(source, entry)
            tree.put(f"{LIBRARY}/lib-dynload/{entry}", read(path), 0o555)
            libraries.need(path)


def stage_zones(wheel, tree):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            zone = name.removeprefix("tzdata/zoneinfo/")
            if zone != name and not zone.endswith(("/", ".py", ".tab", ".zi", ".list")) and zone != "leapseconds":
                tree.put(f"/usr/share/zoneinfo/{zone}", archive.read(name))


def stage_certificates(debian, tree):
    folder = os.path.join(debian, "usr/share/ca-certificates/mozilla")
    bundle = b"".join(read(os.path.join(folder, name)) for name in sorted(os.listdir(folder)))
    tree.put("/usr/lib/ssl/cert.pem", bundle)
    tree.link("/etc/ssl/certs/ca-certificates.crt", "/usr/lib/ssl/cert.pem")


def main(debian, driver, *rest):
    *own, wheel, archive = rest
    tree = Tree()
    for path in DIRECTORIES:
        tree.directory(path)
    for path, data in FILES.items():
        tree.put(path, data)
    library = os.path.join(debian, "usr/lib/python3.11")
    stage_python(library, tree, LIBRARY)
    for folder in own:
        stage_python(folder, tree, LIBRARY)
    libraries = Libraries(debian, tree)
    tree.put("/usr/bin/hl_motedriver", read(driver), 0o555)
    tree.put("/lib64/ld-linux-x86-64.so.2", read(libraries.find("ld-linux-x86-64.so.2")), 0o555)
    libraries.need(driver)
    stage_modules(os.path.join(library, "lib-dynload"), tree, libraries)
    for name in FOR_WHEELS:
        libraries.add(name)
    stage_zones(wheel, tree)
    stage_certificates(debian, tree)
    with open(archive, "wb") as file:
        file.write(tree.cpio())


main(*sys.argv[1:])

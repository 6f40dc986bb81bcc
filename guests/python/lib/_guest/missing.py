"""Clear errors for what the sandbox does not have: network, threads, processes, native libraries."""

import _thread
import errno
import importlib.machinery
import os
import socket
import sys
import threading
import warnings

_NETWORK = "the sandbox has no network"
_PROCESSES = "the sandbox has no processes"
_WHY = {
    "ssl": _NETWORK,
    "_ssl": _NETWORK,
    "ctypes": "the sandbox cannot load native libraries",
    "_ctypes": "the sandbox cannot load native libraries",
    "_multiprocessing": _PROCESSES,
    "_posixsubprocess": _PROCESSES,
    "_posixshmem": _PROCESSES,
    "pty": _PROCESSES,
    "fcntl": "the sandbox has no file locks or descriptors' flags",
    "mmap": "the sandbox cannot map files",
    "resource": "limits are the host's",
    "pwd": "the sandbox has no users",
    "grp": "the sandbox has no users",
    "spwd": "the sandbox has no users",
    "syslog": "the sandbox has no system log",
    "tkinter": "the sandbox has no screen",
    "_tkinter": "the sandbox has no screen",
    "turtle": "the sandbox has no screen",
    "curses": "the sandbox has no terminal",
    "_curses": "the sandbox has no terminal",
    "readline": "the sandbox has no terminal",
    "termios": "the sandbox has no terminal",
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


def _start_new_thread(function, args=(), kwargs=None):
    raise RuntimeError("Cannot start a thread: the sandbox has no threads, call the function directly")


class _Socket(socket.socket):
    def __init__(self, *args, **kwargs):
        raise OSError(errno.ENETUNREACH, _NETWORK)

    def __del__(self):
        pass


def _resolve(*args, **kwargs):
    raise socket.gaierror(-4, _NETWORK)


def _no_network(*args, **kwargs):
    raise OSError(errno.ENETUNREACH, _NETWORK)


def _no_processes(*args, **kwargs):
    raise OSError(errno.ENOTSUP, _PROCESSES)


def install():
    sys.meta_path.append(_Missing)
    _thread.start_new_thread = _thread.start_new = threading._start_new_thread = _start_new_thread
    socket.socket = socket.SocketType = _Socket
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"):
        setattr(socket, name, _resolve)
    socket.socketpair = socket.create_server = _no_network
    os.system = os.popen = _no_processes
    # hashlib prefers OpenSSL's, which is not there, and says so in the user's stderr.
    warnings.filterwarnings("ignore", "Python implementation of pbkdf2_hmac", DeprecationWarning)

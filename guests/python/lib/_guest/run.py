"""Runs main.py in the interpreter's __main__ and turns how it ended into an exit code and flags."""

import _mote
import atexit
import builtins
import errno
import gc
import io
import linecache
import os
import sys
import traceback
import types

from .tools import ToolError, ToolInputError

UNCAUGHT_TOOL_FAILURE = 0x100
UNCAUGHT_OUT_OF_MEMORY = 0x200
UNCAUGHT_DISK_FULL = 0x400
FILE = "main.py"

_OWN = os.path.dirname(__file__)
_FRAMES_MAX = 2000  # of a traceback; deeper ones are cut in the middle of what is, as a rule, recursion
_interactive = False
_flushable = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


class _Exit:
    """exit and quit, without site's habit of closing stdin, which an interactive session still needs."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"Use {self._name}() to exit"

    def __call__(self, code=None):
        raise SystemExit(code)


def new_main():
    main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    main.__file__ = FILE
    main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main.__dict__


def prepare():
    import _sitebuiltins

    builtins.exit = _Exit("exit")
    builtins.quit = _Exit("quit")
    builtins.help = _sitebuiltins._Helper()
    sys.executable = sys._base_executable = ""
    sys.argv = [FILE]
    os.environ.update(HOME="/sandbox", TMPDIR="/tmp", LANG="C.UTF-8")
    sys.stdout.reconfigure(line_buffering=True)
    new_main()


def run(source):
    arguments = _mote.args()
    if arguments:
        sys.argv = arguments
    outcome = execute(source, sys.modules["__main__"].__dict__)
    if atexit._ncallbacks() and not _interactive:
        atexit._run_exitfuncs()
    left = flush()
    return outcome | (left & ~0xFF if outcome & 0xFF else left)


def mode(interactive):
    """An interactive session goes on after a run: what waits for its end is not called between runs."""
    global _interactive
    _interactive = interactive


def execute(source, namespace):
    linecache.cache[FILE] = (len(source), None, source.decode("utf-8", "replace").splitlines(True), FILE)
    try:
        exec(compile(source, FILE, "exec", dont_inherit=True), namespace)
    except SystemExit as stop:
        return exit_code(stop.code)
    except BaseException as error:
        return report(error)
    return 0


def exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        sys.stdout.flush()
        print(code, file=sys.stderr)
    except Exception:
        pass
    return 1


def report(error):
    outcome = 130 if isinstance(error, KeyboardInterrupt) else 1
    outcome |= flags(error)
    # The frame of execute() is ours; the user's begins below it.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    error.__traceback__ = None
    try:
        if isinstance(error, MemoryError):
            trace = _without_locals(trace)
        _show(error, trace)
    except BaseException as second:
        error = trace = None
        os.write(2, f"{type(second).__name__} while the traceback was printed\n".encode())
    return outcome


def _show(error, trace):
    flush_one(sys.stdout)
    if sys.excepthook is not sys.__excepthook__:
        error.__traceback__ = trace
        sys.excepthook(type(error), error, trace)
        return
    shown = traceback.TracebackException(type(error), error, trace, limit=_FRAMES_MAX, compact=True)
    shown.stack[:] = [frame for frame in shown.stack if not frame.filename.startswith(_OWN)]
    text = "".join(shown.format())
    stream = sys.stderr if sys.stderr is not None else sys.__stderr__
    stream.write(text)
    stream.flush()


def _without_locals(trace):
    """What filled the memory is usually held by a local; printing needs some of it back."""
    traceback.clear_frames(trace)
    return trace


def flags(error):
    if isinstance(error, BaseExceptionGroup):
        found = 0
        for one in error.exceptions:
            found |= flags(one)
        return found
    if isinstance(error, ToolError):
        return 0 if isinstance(error, ToolInputError) else UNCAUGHT_TOOL_FAILURE
    if isinstance(error, MemoryError):
        return UNCAUGHT_OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UNCAUGHT_DISK_FULL
    return 0


def flush():
    """What finalization does for files that were left open; nothing else of it is needed. Returns flags."""
    flush_one(sys.stdout)
    flush_one(sys.stderr)
    outcome, failed = 0, set()
    if _mote.take_opened():
        for thing in gc.get_objects():
            if isinstance(thing, _flushable) and not thing.closed:
                outcome |= _flush_file(thing, failed)
    return outcome


def flush_one(stream):
    try:
        stream.flush()
    except Exception:
        pass


def _flush_file(file, failed):
    try:
        file.flush()
    except OSError as error:
        # A text file and its buffer both come up.
        if file.name not in failed:
            os.write(2, f"Cannot write the rest of {file.name!r}: {error}\n".encode())
        failed.add(file.name)
        return 1 | flags(error)
    except Exception:
        pass
    return 0

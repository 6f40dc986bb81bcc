"""Runs main.py in __main__, gives it `tools`, and tells the host over descriptor 3 how it ended: driver.py MODE FILE LIBRARIES ARG…"""

import builtins
import os
import sys
import threading

# The program may change what it likes: what is defined from here on keeps what there was.
__builtins__ = dict(vars(builtins))

_READY, _CALL, _DONE = 1, 2, 3
_TURN, _REPLY = 1, 2
_OK, _FAILED, _INPUT, _LIMIT = range(4)
_TOOL, _MEMORY, _DISK = 1, 2, 4
_FRAMES_MAX = 2000
_MODE, _NAME, _LIBRARIES = sys.argv[1:4]
_OWN = os.path.abspath(__file__)
_DIR = os.path.dirname(_OWN)
_FULL = (28, 122)  # ENOSPC, EDQUOT
_reserve = None


class ToolError(RuntimeError):
    """A tool of the host failed, is unknown, or may not be called again."""


class ToolInputError(ToolError, ValueError):
    """A tool of the host did not accept its arguments."""


ToolError.__module__ = ToolInputError.__module__ = "tools"


class _Host:
    """Words to and from the host; threads may call at once, and whoever waits reads for all."""

    def __init__(self):
        self._fd = 3
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._reading = False
        self._answers = {}
        self._last = 0

    def say(self, kind, number, payload=b""):
        word = len(payload).to_bytes(4, "little") + bytes([kind]) + number.to_bytes(4, "little") + payload
        with self._sending:
            view = memoryview(word)
            while view:
                view = view[os.write(self._fd, view):]

    def close(self):
        self._fd = -1

    def _take(self, length):
        parts = []
        while length:
            part = os.read(self._fd, min(length, 1 << 20))
            if not part:
                raise OSError("the host has gone")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def hear(self):
        head = self._take(9)
        body = self._take(int.from_bytes(head[:4], "little"))
        return head[4], int.from_bytes(head[5:], "little"), body

    def call(self, name, payload):
        if self._fd < 0:
            raise ToolError("tools can be called by the process that the host started, and by no other")
        with self._changed:
            self._last += 1
            number = self._last
        named = name.encode()[:256]
        self.say(_CALL, number, len(named).to_bytes(2, "little") + named + payload)
        with self._changed:
            while number not in self._answers:
                if self._reading:
                    self._changed.wait()
                    continue
                self._reading = True
                self._changed.release()
                try:
                    kind, of, body = self.hear()
                finally:
                    self._changed.acquire()
                    self._reading = False
                    self._changed.notify_all()
                if kind == _REPLY:
                    self._answers[of] = body
            return number, self._answers.pop(number)


_host = _Host()


class _Tool:
    __slots__ = ("__name__",)

    def __init__(self, name):
        self.__name__ = name

    def __repr__(self):
        return f"<tool {self.__name__}>"

    def __call__(self, /, *args, **kwargs):
        import json

        if args:
            if len(args) != 1 or kwargs or not isinstance(args[0], dict):
                raise TypeError(f"tools.{self.__name__}() takes keyword arguments, or one dict")
            kwargs = args[0]
        text = json.dumps(kwargs, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        number, answer = _host.call(self.__name__, text.encode())
        text = answer[1:].decode("utf-8", "replace")
        if answer[0] == _OK:
            return json.loads(text)
        error = (ToolInputError if answer[0] == _INPUT else ToolError)(text)
        error._call = number
        raise error


class _Tools(type(sys)):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Tool(name)


def _keep_out(workspace):
    """Byte code is kept beside its source, as everywhere, but not in the workspace, where it would pass for a result."""
    import _frozen_importlib_external as external

    write = external.SourceFileLoader.set_data

    def set_data(self, path, data, **options):
        if not path.startswith(workspace):
            write(self, path, data, **options)

    external.SourceFileLoader.set_data = set_data
    sys.pycache_prefix = None


def _prepare():
    os.set_inheritable(3, False)
    os.register_at_fork(after_in_child=_host.close)
    tools = _Tools("tools", "Functions of the host: tools.NAME(key=value)")
    tools.ToolError = ToolError
    tools.ToolInputError = ToolInputError
    sys.modules["tools"] = tools
    builtins.tools = tools
    builtins.ToolError = ToolError
    builtins.ToolInputError = ToolInputError
    sys.path[0] = workspace = os.getcwd()
    _keep_out(workspace + os.sep)
    try:
        if os.listdir(_LIBRARIES):
            import site

            site.addsitedir(_LIBRARIES)
    except OSError:
        pass
    sys.stdout.reconfigure(line_buffering=True)
    main = type(sys)("__main__")
    main.__builtins__ = builtins
    main.__file__ = _NAME
    main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main.__dict__


def _execute(namespace):
    import linecache

    with open(os.path.join(_DIR, _NAME), "rb") as file:
        source = file.read()
    linecache.cache[_NAME] = (len(source), None, source.decode("utf-8", "replace").splitlines(True), _NAME)
    global _reserve
    # Address space only, given back when there is no more of it and the error has to be shown.
    _reserve = bytearray(4 << 20)
    _host.say(_READY, 0)
    try:
        exec(compile(source, _NAME, "exec", dont_inherit=True), namespace)
    except SystemExit as stop:
        return _exit_code(stop.code), 0, 0
    except BaseException as error:
        return _report(error)
    return 0, 0, 0


def _exit_code(code):
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


def _report(error):
    global _reserve
    _reserve = None
    code = 130 if isinstance(error, KeyboardInterrupt) else 1
    flags, call = _flags(error)
    # The frame of _execute is ours; the user's begins below it.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    error.__traceback__ = None
    try:
        import traceback

        if isinstance(error, MemoryError):
            traceback.clear_frames(trace)
        _show(traceback, error, trace)
    except BaseException as second:
        error = trace = None
        os.write(2, f"{type(second).__name__} while the traceback was printed\n".encode())
    return code, flags, call


def _show(traceback, error, trace):
    try:
        sys.stdout.flush()
    except Exception:
        pass
    if sys.excepthook is not sys.__excepthook__:
        error.__traceback__ = trace
        sys.excepthook(type(error), error, trace)
        return
    options = {"compact": True} if sys.version_info >= (3, 10) else {}
    shown = traceback.TracebackException(type(error), error, trace, limit=_FRAMES_MAX, **options)
    seen = set()
    todo = [shown]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if frame.filename != _OWN]
        todo += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]
    stream = sys.stderr if sys.stderr is not None else sys.__stderr__
    stream.write("".join(shown.format()))
    stream.flush()


def _flags(error):
    if isinstance(error, getattr(builtins, "BaseExceptionGroup", ())):
        found, call = 0, 0
        for one in error.exceptions:
            flags, of = _flags(one)
            found, call = found | flags, call or of
        return found, call
    if isinstance(error, ToolError):
        return (0, 0) if isinstance(error, ToolInputError) else (_TOOL, getattr(error, "_call", 0))
    if isinstance(error, MemoryError):
        return _MEMORY, 0
    if isinstance(error, OSError) and error.errno in _FULL:
        return _DISK, 0
    return 0, 0


def _forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def _peak():
    """Most memory of its own that this process had, in bytes."""
    sizes = {}
    try:
        with open("/proc/self/status") as file:
            for line in file:
                name, _, size = line.partition(":")
                if size.endswith(" kB\n"):
                    sizes[name] = int(size[:-4]) * 1024
    except Exception:
        pass
    return max(0, sizes.get("VmHWM", 0) - sizes.get("RssFile", 0) - sizes.get("RssShmem", 0))


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def _done(code, flags, call):
    numbers = code.to_bytes(4, "little") + flags.to_bytes(4, "little") + call.to_bytes(4, "little")
    _host.say(_DONE, 0, numbers + _peak().to_bytes(8, "little"))


def _once():
    namespace = _prepare()
    sys.argv[:] = [_NAME, *sys.argv[4:]]
    outcome = _execute(namespace)
    _flush()
    try:
        _done(*outcome)
    except Exception:
        pass
    raise SystemExit(outcome[0])


def _living():
    import json

    namespace = _prepare()
    while True:
        kind, _, body = _host.hear()
        if kind != _TURN:
            continue
        _forget_peak()
        stdin = os.open(os.path.join(_DIR, "stdin"), os.O_RDONLY)
        if stdin != 0:
            os.dup2(stdin, 0)
            os.close(stdin)
        sys.stdin = open(0, encoding="utf-8", errors="strict", closefd=False)
        sys.argv[:] = [_NAME, *json.loads(body[1:])]
        outcome = _execute(namespace)
        _flush()
        try:
            _done(*outcome)
        except Exception:
            os._exit(outcome[0])


_once() if _MODE == "once" else _living()

"""tools.NAME(…): calls that the host answers."""

import _mote
import builtins
import json
import sys
import types

_OK, _FAILED, _REFUSED, _LIMIT = range(4)
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


class ToolError(RuntimeError):
    """A tool of the host failed, is unknown, or may not be called again."""


class ToolInputError(ToolError, ValueError):
    """A tool of the host did not accept its arguments."""


ToolError.__module__ = ToolInputError.__module__ = "tools"


class Tool:
    __slots__ = ("__name__",)

    def __init__(self, name):
        self.__name__ = name

    def __repr__(self):
        return f"<tool {self.__name__}>"

    def __call__(self, /, *args, **kwargs):
        return answer(_mote.call_wait(begin(self.__name__, args, kwargs), -1))


def begin(name, args, kwargs):
    if args:
        if len(args) != 1 or kwargs or not isinstance(args[0], dict):
            raise TypeError(f"tools.{name}() takes keyword arguments, or one dict")
        kwargs = args[0]
    return _mote.call_begin(name, _encode(kwargs).encode())


def answer(outcome):
    if outcome is None:
        raise ToolError("the call was lost")
    _, status, payload = outcome
    text = payload.decode("utf-8", "replace")
    if status == _OK:
        return _decode(text)
    raise (ToolInputError if status == _REFUSED else ToolError)(text)


class _Tools(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Tool(name)


def install():
    tools = _Tools("tools", "Functions of the host: tools.NAME(key=value)")
    tools.ToolError = ToolError
    tools.ToolInputError = ToolInputError
    sys.modules["tools"] = tools
    builtins.tools = tools
    builtins.ToolError = ToolError
    builtins.ToolInputError = ToolInputError

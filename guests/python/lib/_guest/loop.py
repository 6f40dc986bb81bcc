"""An event loop for one thread without sockets or signals: it waits for timers and for tools."""

import _mote
import asyncio
import functools
import selectors
import time

from .tools import Tool, answer, begin

_NS = 1_000_000_000


class _Selector(selectors._BaseSelectorImpl):
    def __init__(self):
        super().__init__()
        self.calls = {}

    def select(self, timeout=None):
        # Only stdin and files can be registered, and those are always ready.
        ready = [(key, key.events) for key in self._fd_to_key.values()]
        if ready:
            timeout = 0
        if self.calls:
            self._wait_for_tools(timeout)
        elif timeout is None:
            raise RuntimeError("Cannot wait: every task is waiting, and nothing in the sandbox can wake one")
        elif timeout > 0:
            time.sleep(timeout)
        return ready

    def _wait_for_tools(self, timeout):
        timeout_ns = -1 if timeout is None else max(0, int(timeout * _NS))
        while self.calls and (outcome := _mote.call_wait(-1, timeout_ns)):
            self._settle(outcome)
            timeout_ns = 0

    def _settle(self, outcome):
        future = self.calls.pop(outcome[0], None)
        if future is None or future.done():
            return
        try:
            future.set_result(answer(outcome))
        except Exception as error:
            future.set_exception(error)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__(_Selector())

    def _make_self_pipe(self):
        pass

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, func, *args):
        tool = _tool_call(func, args) if executor is None else None
        if tool:
            future = self.create_future()
            self._selector.calls[begin(*tool)] = future
            return future
        if executor is None:
            raise RuntimeError("Cannot run in a thread: the sandbox has no threads, call the function directly")
        return super().run_in_executor(executor, func, *args)


def _tool_call(func, args):
    """The (name, args, kwargs) of a tool, also inside the partial that asyncio.to_thread makes."""
    kwargs = {}
    if isinstance(func, functools.partial):
        args, kwargs, func = (*func.args, *args), func.keywords, func.func
    if getattr(func, "__name__", None) == "run" and args and isinstance(args[0], Tool):
        func, *args = args
    return (func.__name__, tuple(args), kwargs) if isinstance(func, Tool) else None


class Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = Loop

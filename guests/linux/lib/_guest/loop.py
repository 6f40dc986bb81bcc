"""An event loop that also waits for tools, which answer to the thread that runs it."""

import _mote
import asyncio
import functools
import selectors
import threading

from .tools import Tool, answer, begin

_NS = 1_000_000_000
# How long other threads and sockets go unheard while a tool works: the host's answer stops the whole machine.
_SLICE_S = 0.005


class _Selector(selectors.DefaultSelector):
    def __init__(self):
        super().__init__()
        self.calls = {}

    def select(self, timeout=None):
        if not self.calls:
            if timeout is None and self._alone():
                raise RuntimeError("Cannot wait: every task is waiting, and nothing in the sandbox can wake one")
            return super().select(timeout)
        left = timeout
        while True:
            ready = super().select(0)
            wait = 0 if ready else left
            if not self._alone():
                wait = _SLICE_S if wait is None else min(wait, _SLICE_S)
            if self._settle_some(wait) or ready or (left is not None and left <= wait):
                return ready
            if left is not None:
                left -= wait

    def _alone(self):
        """Only the loop's own wake-up pipe is watched, and no thread could write to it."""
        return len(self.get_map()) <= 1 and threading.active_count() == 1

    def _settle_some(self, timeout):
        timeout_ns = -1 if timeout is None else max(0, int(timeout * _NS))
        settled = False
        while self.calls and (outcome := _mote.call_wait(-1, timeout_ns)):
            self._settle(outcome)
            settled, timeout_ns = True, 0
        return settled

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

    def run_in_executor(self, executor, func, *args):
        tool = _tool_call(func, args) if executor is None else None
        if tool:
            future = self.create_future()
            self._selector.calls[begin(*tool)] = future
            return future
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

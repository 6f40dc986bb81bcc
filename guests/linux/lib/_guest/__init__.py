"""The Python side of the driver: driver.c calls run, mode, attach and preload; the rest is there before the snapshot."""

import gc

from . import missing, preload, web
from .attach import attach
from .loop import Policy
from .preloaded import preloaded
from .run import mode, prepare, run
from .tools import install
from .warm import warm

missing.install()
preload.modules()
install()
web.install()
prepare()
missing.environment()

import asyncio

asyncio.set_event_loop_policy(Policy())
warm()
gc.collect()
gc.freeze()

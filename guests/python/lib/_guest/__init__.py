"""The Python side of Guest ABI 1: guest.c calls run, mode, warm and attach; everything here exists before the snapshot."""

import gc

from . import missing, preload, web
from .attach import attach
from .loop import Policy
from .run import mode, prepare, run
from .tools import install
from .warm import warm

missing.install()
preload.modules()
install()
web.install()
prepare()

import asyncio

asyncio.set_event_loop_policy(Policy())
warm()
gc.collect()
gc.freeze()

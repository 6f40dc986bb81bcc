"""Makes the snapshot this session's own: its environment, its randomness, its start time."""

import _mote
import logging
import os
import random
import sys
import tempfile
import time


def attach():
    reseed()
    logging._startTime = time.time()
    for entry in _mote.environ():
        name, separator, value = entry.partition("=")
        if separator:
            os.environ[name] = value


def reseed():
    """The kernel's source is fresh after a restore; generators that drew from it before are not."""
    random.seed()
    tempfile._name_sequence = None
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed()
    if ssl := sys.modules.get("_ssl"):
        ssl.RAND_add(os.urandom(32), 32.0)
    if uuid := sys.modules.get("uuid"):
        uuid._node = uuid._last_timestamp = None

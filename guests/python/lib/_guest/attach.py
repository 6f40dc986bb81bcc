"""Makes the snapshot this session's own: its environment, its randomness, its start time."""

import _mote
import logging
import os
import random
import tempfile
import time


def attach():
    random.seed()
    tempfile._name_sequence = None
    logging._startTime = time.time()
    for entry in _mote.environ():
        name, separator, value = entry.partition("=")
        if separator:
            os.environ[name] = value

# {"ends": ["GUEST_CRASHED", "exit"]}
import faulthandler
import os

try:
    faulthandler._sigsegv()
except (AttributeError, OSError):
    os.abort()

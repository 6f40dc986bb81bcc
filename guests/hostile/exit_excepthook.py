# {"ends": "exit", "exitCode": 1}
import sys


def hook(*_):
    raise RuntimeError("in the hook")


sys.excepthook = hook
raise ValueError("first")

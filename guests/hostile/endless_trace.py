# {"ends": "TIMED_OUT"}
import sys


def trace(*_):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


sys.settrace(trace)
(lambda: None)()

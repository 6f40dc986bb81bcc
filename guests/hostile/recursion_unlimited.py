# {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED", "TIMED_OUT"]}
import sys

sys.setrecursionlimit(2**31 - 1)


def down():
    return down() + 1


down()

# {"ends": ["exit", "GUEST_CRASHED"]}
import sys

sys.setrecursionlimit(10**6)
nested = []
for _ in range(200_000):
    nested = [nested]
repr(nested)

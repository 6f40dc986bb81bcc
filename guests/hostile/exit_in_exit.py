# {"ends": ["exit", "ok"]}
import atexit
import sys

atexit.register(lambda: sys.exit(5))
sys.exit(3)

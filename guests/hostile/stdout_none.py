# {"ends": ["exit", "ok"]}
import sys

sys.stdout = sys.stderr = None
del sys.stdout, sys.stderr
print("x")

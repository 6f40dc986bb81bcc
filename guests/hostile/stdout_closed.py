# {"ends": ["exit", "ok"]}
import os
import sys

print("before", flush=True)
os.close(1)
os.close(2)
try:
    print("after", flush=True)
except OSError:
    sys.exit(9)

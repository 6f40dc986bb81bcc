# {"ends": "MEMORY_EXCEEDED", "stdinBytes": 100000000, "limits": {"timeMs": 10000}}
import sys

sys.stdin.buffer.read()

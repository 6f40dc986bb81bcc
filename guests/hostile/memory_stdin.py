# {"ends": "MEMORY_EXCEEDED", "stdinBytes": 100000000}
import sys

sys.stdin.buffer.read()

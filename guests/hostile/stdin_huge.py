# {"ends": "ok", "stdinBytes": 100000000, "stdout": "100000000\n"}
import sys

count = 0
while chunk := sys.stdin.buffer.read(65536):
    count += len(chunk)
print(count)

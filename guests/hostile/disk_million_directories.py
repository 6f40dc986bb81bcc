# {"ends": "DISK_EXCEEDED"}
import os

for n in range(1_000_000):
    os.mkdir(str(n))

# {"ends": "DISK_EXCEEDED"}
import os

for n in range(1_000_000):
    os.symlink("x" * 200, str(n))

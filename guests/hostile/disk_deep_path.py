# {"ends": ["DISK_EXCEEDED", "MEMORY_EXCEEDED", "exit"]}
import os

os.makedirs("/".join(["d"] * 100_000))

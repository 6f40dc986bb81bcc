# {"ends": ["DISK_EXCEEDED", "exit"]}
import os

os.makedirs("/".join(["d"] * 100_000))

# {"ends": "exit", "exitCode": 7, "stdout": ""}
import os

print("never flushed", end="")
os._exit(7)

# {"ends": ["OUTPUT_EXCEEDED", "TIMED_OUT"]}
import os

while True:
    os.write(1, b"x")

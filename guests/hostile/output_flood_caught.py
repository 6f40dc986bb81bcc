# {"ends": "OUTPUT_EXCEEDED"}
import os

while True:
    try:
        os.write(1, b"x" * 65536)
    except BaseException:
        pass

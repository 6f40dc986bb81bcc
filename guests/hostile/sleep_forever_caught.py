# {"ends": "TIMED_OUT"}
import time

while True:
    try:
        time.sleep(1e6)
    except BaseException:
        pass

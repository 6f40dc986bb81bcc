# {"ends": "TIMED_OUT"}
import time

while True:
    time.sleep(3600)

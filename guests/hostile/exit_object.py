# {"ends": "exit", "exitCode": 1}
import sys


class Odd:
    def __str__(self):
        raise ValueError


sys.exit(Odd())

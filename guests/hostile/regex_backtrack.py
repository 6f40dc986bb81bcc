# {"ends": "TIMED_OUT"}
import re

re.match(r"(a+)+$", "a" * 60 + "b")

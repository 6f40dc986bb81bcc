# {"ends": "TIMED_OUT"}
import itertools

sum(itertools.repeat(0))

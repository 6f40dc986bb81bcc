# {"ends": "TIMED_OUT"}
# One call into C that never comes back.
import itertools

"x" in itertools.count()

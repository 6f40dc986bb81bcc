# {"ends": ["exit", "GUEST_CRASHED", "TIMED_OUT"]}
import re

re.compile("(" * 100_000 + ")" * 100_000)

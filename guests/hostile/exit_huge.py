# {"ends": ["exit", "ok"]}
import sys

sys.exit(2**70)

# {"ends": ["exit", "ok"]}
import sys

sys.stderr.write("\ud800")
print("\ud800")

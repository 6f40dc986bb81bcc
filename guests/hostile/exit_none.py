# {"ends": "ok"}
import sys

sys.exit(None)

# {"ends": "exit", "exitCode": 1, "stderr": "text instead of a number"}
import sys

sys.exit("text instead of a number")

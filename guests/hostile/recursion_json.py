# {"ends": ["exit", "GUEST_CRASHED"]}
import json

json.loads("[" * 1_000_000)

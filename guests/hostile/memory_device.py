# {"ends": "MEMORY_EXCEEDED"}
open("/dev/zero", "rb").read()

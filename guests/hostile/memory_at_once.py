# {"ends": "MEMORY_EXCEEDED"}
bytearray(1 << 30)

# {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED"]}
while True:
    try:
        kept = []
        while True:
            kept.append(bytearray(1 << 18))
    except MemoryError:
        pass

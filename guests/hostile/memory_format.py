# {"ends": ["MEMORY_EXCEEDED", "exit"]}
"%*d" % (1 << 30, 1)

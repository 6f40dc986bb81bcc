# {"ends": "exit", "linux": {"ends": ["exit", "MEMORY_EXCEEDED"]}, "container": {"ends": ["exit", "MEMORY_EXCEEDED"]}}
held = []
while True:
    held.append(open("/dev/null"))

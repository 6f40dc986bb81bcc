# {"ends": "exit", "container": {"ends": ["exit", "MEMORY_EXCEEDED"]}}
held = []
while True:
    held.append(open("/dev/null"))

# {"ends": "exit"}
held = []
while True:
    held.append(open("/dev/null"))

# {"ends": "ok", "stdinBytes": 100000000}
print("did not look")

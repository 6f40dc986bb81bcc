# {"ends": "OUTPUT_EXCEEDED"}
while True:
    print("x" * 10_000)

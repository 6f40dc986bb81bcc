# {"ends": "DISK_EXCEEDED"}
for n in range(1_000_000):
    open(str(n), "w").close()

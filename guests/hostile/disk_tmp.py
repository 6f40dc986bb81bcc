# {"ends": "DISK_EXCEEDED"}
# /tmp counts as well.
with open("/tmp/big", "wb") as file:
    while True:
        file.write(b"x" * 65536)

# {"ends": ["DISK_EXCEEDED", "exit"]}
# What is unlinked but open still counts.
import os

held = []
while True:
    held.append(os.open("file", os.O_CREAT | os.O_RDWR))
    os.write(held[-1], b"x" * 65536)
    os.unlink("file")

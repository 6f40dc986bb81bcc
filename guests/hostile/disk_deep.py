# {"ends": ["DISK_EXCEEDED", "exit"]}
import os

while True:
    os.mkdir("d")
    os.chdir("d")

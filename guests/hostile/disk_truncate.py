# {"ends": ["DISK_EXCEEDED", "exit"], "container": {"ends": ["ok", "DISK_EXCEEDED", "exit"]}}
import os

os.close(os.open("file", os.O_CREAT | os.O_WRONLY))
os.truncate("file", 1 << 50)

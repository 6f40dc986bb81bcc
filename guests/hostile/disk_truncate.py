# {"ends": ["DISK_EXCEEDED", "exit"], "container": {"ends": "ok", "stdout": null}}
import os

os.close(os.open("file", os.O_CREAT | os.O_WRONLY))
os.truncate("file", 1 << 50)

# {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
import json
import os

folder = os.path.dirname(json.__file__ or "/lib")
for work in [
    lambda: open(f"{folder}/decoder.py", "w"),
    lambda: open("/lib/evil.py", "w"),
    lambda: open("/site-packages/evil.py", "w"),
    lambda: os.remove(f"{folder}/decoder.py"),
    lambda: os.rename(folder, "/tmp/json"),
    lambda: os.mkdir("/lib/evil"),
    lambda: os.truncate(f"{folder}/decoder.py", 0),
]:
    try:
        work()
        print("written")
    except OSError:
        pass
print("held")

# {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
import os

for path in ["..", "../..", "../../../../etc/passwd", "a/../../../etc/passwd", "/sandbox/../etc/passwd"]:
    try:
        if os.path.isfile(path) or "passwd" in str(os.listdir(path)):
            print("escaped", path)
    except OSError:
        pass
print("held")

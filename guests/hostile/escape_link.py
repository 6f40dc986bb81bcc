# {"ends": "ok", "stdout": "held\n"}
import os

for work in [
    lambda: os.link("/etc/passwd", "hard"),
    lambda: os.rename("/etc/passwd", "moved"),
    lambda: os.rename("/lib", "/sandbox/lib"),
    lambda: (open("mine", "w").close(), os.rename("mine", "/mine")),
    lambda: os.truncate("/etc/passwd", 0),
]:
    try:
        work()
        print("escaped")
    except (OSError, AttributeError, NotImplementedError):
        pass
print("held")

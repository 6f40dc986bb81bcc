# {"ends": "ok", "stdout": "refused\nrefused\nrefused\nrefused\n", "container": {"stdout": null}}
import os
import subprocess


def attempt(start):
    try:
        start()
        print("started")
    except (AttributeError, OSError, RuntimeError, NotImplementedError):
        print("refused")


attempt(lambda: os.fork())
attempt(lambda: os.execv("/bin/sh", ["sh"]))
attempt(lambda: os.posix_spawn("/bin/sh", ["sh"], {}))
attempt(lambda: subprocess.run(["sh", "-c", "true"], check=True))

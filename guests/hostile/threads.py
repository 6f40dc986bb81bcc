# {"ends": "ok", "stdout": "refused\n", "linux": {"stdout": "ran\n"}, "container": {"stdout": null}}
import threading

try:
    threading.Thread(target=print, args=("ran",)).start()
except (RuntimeError, OSError):
    print("refused")

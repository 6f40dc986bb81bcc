# {"ends": "ok", "stdout": "held\n", "linux": {"stdout": null}, "container": {"stdout": null}}
import importlib

for name in ["ctypes", "_ctypes", "mmap", "_posixsubprocess", "resource", "fcntl", "pty", "termios"]:
    try:
        importlib.import_module(name)
        print("imported", name)
    except ImportError:
        pass
print("held")

# {"ends": "ok", "stdout": "held\n", "linux": {"ends": ["ok", "GUEST_CRASHED"], "stdout": null}, "container": {"ends": ["ok", "exit", "GUEST_CRASHED", "TIMED_OUT"], "stdout": null}}
# Only descriptors of the guest's own file system are there, and closing them harms only the guest.
import os

for fd in range(3, 1_000):
    try:
        os.read(fd, 10)
        print("read", fd)
    except OSError:
        pass
os.close(3)
try:
    open("/etc/passwd")
    print("escaped")
except OSError:
    pass
print("held")

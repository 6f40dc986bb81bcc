# {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
for path in [
    "/etc/passwd",
    "/etc/hostname",
    "/proc/self/environ",
    "/proc/self/maps",
    "/proc/1/cmdline",
    "/sys/kernel/notes",
    "/dev/mem",
    "/dev/sda",
    "/root/.bashrc",
    "/home",
    "/usr/bin/env",
    "//etc/passwd",
    "/./etc/passwd",
]:
    try:
        open(path, "rb").read(1)
        print("escaped", path)
    except OSError:
        pass
print("held")

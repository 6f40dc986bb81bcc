# {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
import os

targets = ["/etc/passwd", "../../../etc/passwd", "/", "..", "/proc/self/root/etc/passwd"]
for n, target in enumerate(targets):
    try:
        os.symlink(target, f"link{n}")
        if os.path.isdir(f"link{n}"):
            open(f"link{n}/etc/passwd").read()
        else:
            open(f"link{n}").read()
        print("escaped", target)
    except OSError:
        pass
print("held")

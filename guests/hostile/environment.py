# {"ends": "ok", "stdout": "[]\n"}
import os

print(sorted(name for name in os.environ if name not in ("HOME", "TMPDIR", "PATH", "PWD", "LANG")))

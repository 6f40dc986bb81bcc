# {"ends": "ok", "stdout": "[]\n", "linux": {"stdout": "['MPLBACKEND', 'MPLCONFIGDIR', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'XDG_CACHE_HOME']\n"}, "container": {"stdout": null}}
import os

print(sorted(name for name in os.environ if name not in ("HOME", "TMPDIR", "PATH", "PWD", "LANG")))

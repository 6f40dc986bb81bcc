# {"ends": ["exit", "ok", "TIMED_OUT"]}
import signal
import time

for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGKILL", "SIGSEGV"):
    try:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    except (AttributeError, OSError, ValueError):
        pass
signal.raise_signal(signal.SIGINT)
time.sleep(60)

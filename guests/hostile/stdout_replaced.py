# {"ends": ["exit", "ok"]}
import sys


class Evil:
    def write(self, text):
        raise SystemError("write")

    def flush(self):
        raise SystemError("flush")


sys.stdout = sys.stderr = Evil()
raise ValueError

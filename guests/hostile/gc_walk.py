# {"ends": ["ok", "exit", "GUEST_CRASHED", "TIMED_OUT"]}
# Breaks whatever the collector can reach.
import gc

for thing in gc.get_objects():
    try:
        thing.clear()
    except BaseException:
        pass

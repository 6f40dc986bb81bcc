# {"ends": ["TIMED_OUT", "exit"]}
import atexit


@atexit.register
def never():
    while True:
        pass

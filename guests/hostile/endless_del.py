# {"ends": ["TIMED_OUT", "exit"]}
class Phoenix:
    def __del__(self):
        while True:
            Phoenix()


Phoenix()

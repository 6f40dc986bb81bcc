# {"ends": "TIMED_OUT"}
class Evil:
    def __lt__(self, other):
        while True:
            pass


sorted([Evil(), Evil()])

# {"ends": "TIMED_OUT"}
class Same:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return False


held = {Same(): None for _ in range(10_000_000)}

# {"ends": ["exit", "GUEST_CRASHED"]}
class Mirror:
    def __getattr__(self, name):
        return getattr(self, name + "x")


Mirror().x

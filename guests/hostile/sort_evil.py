# {"ends": "exit"}
class Evil:
    def __lt__(self, other):
        victims.append(self)
        return True


victims = [Evil() for _ in range(1000)]
victims.sort()

# {"ends": ["exit", "GUEST_CRASHED"]}
types = int
for _ in range(200_000):
    types = (types,)
isinstance("", types)

# {"ends": ["exit", "GUEST_CRASHED"]}
a = []
a.append(a)
b = [a]
a == b

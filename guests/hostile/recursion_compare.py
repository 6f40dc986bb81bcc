# {"ends": ["exit", "GUEST_CRASHED"]}
a = []
a.append(a)
b = []
b.append(b)
a == b

import time


def churn(n):
    counts = {}
    for i in range(n):
        key = f"key{(i * 7919) % 5003}"
        counts[key] = counts.get(key, 0) + 1
        if i % 3 == 0:
            counts.pop(f"key{(i * 104729) % 5003}", None)
    total = 0
    for key, value in sorted(counts.items()):
        total = (total * 31 + len(key) * value) % 1000000007
    groups = {}
    for key, value in counts.items():
        groups.setdefault(value % 10, []).append(key)
    return total, len(groups)


started = time.perf_counter()
result = churn(400000)
seconds = time.perf_counter() - started
print(f"{result[0]}:{result[1]}", seconds)

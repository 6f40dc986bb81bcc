import json
import time

rows = [
    {"id": i, "name": f"item {i}", "tags": ["a", "b", str(i % 7)], "price": i * 1.25, "in_stock": i % 3 == 0, "note": None}
    for i in range(2000)
]
started = time.perf_counter()
for _ in range(30):
    text = json.dumps(rows)
    rows = json.loads(text)
seconds = time.perf_counter() - started
print(f"{len(text)}:{rows[1999]['price']}", seconds)

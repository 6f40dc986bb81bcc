import re
import time

line = "2026-03-14 12:34:56 host-7 GET /items/4711?sort=asc 200 0.123 user=alice@example.com ip=10.1.2.3\n"
text = line * 1500
pattern = re.compile(r"(\d{4})-(\d\d)-(\d\d) [\d:]+ (\S+) (GET|POST) (/\w+/\d+)\S* (\d{3})")
mail = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
started = time.perf_counter()
total = 0
for _ in range(12):
    total += sum(int(m.group(7)) for m in pattern.finditer(text))
    total += len(mail.findall(text))
    total += len(re.sub(r"\d+", "#", text))
seconds = time.perf_counter() - started
print(total, seconds)

"""Training set: the parts of the library that are written in C and that programs spend their time in."""

import base64
import csv
import datetime
import decimal
import hashlib
import io
import json
import pickle
import random
import re
import statistics
import string
import struct
import textwrap
import zlib

records = [
    {"id": i, "name": f"name {i}", "tags": ["x", "y\n", str(i % 9)], "score": i / 7, "ok": i % 2 == 0, "none": None, "ü": "é"}
    for i in range(600)
]
log = "".join(
    f"2026-0{i % 9 + 1}-1{i % 10} 12:{i % 60:02d}:07 host-{i % 13} GET /items/{i * 37}?q={i} {200 + i % 5} user{i}@example.org\n"
    for i in range(1500)
)
entry = re.compile(r"^(\d{4})-(\d\d)-(\d\d) ([\d:]+) (?P<host>\S+) (GET|POST) (/\w+/\d+)\S* (\d{3}) (.*)$", re.M)


def json_trips():
    for indent in (None, None, None, 2):
        text = json.dumps(records, indent=indent, sort_keys=indent is not None, ensure_ascii=indent is None)
        assert json.loads(text) == records


def expressions():
    hosts = [match["host"] for match in entry.finditer(log)]
    words = re.findall(r"[A-Za-z]+", log)
    emails = re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+", log)
    shorter = re.sub(r"(\d+)", lambda match: str(len(match[1])), log[:20000])
    parts = re.split(r"[\s,;]+", log)
    again = re.sub(r"\s+", " ", log)
    lazy = re.findall(r"/.*?\?|(?:GET|POST)(?= /items)|\bhost-1\d\b", log, re.I)
    return len(hosts), len(words), len(emails), len(shorter), len(parts), len(again), len(lazy)


def tables():
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["id", "name", "score"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    buffer.seek(0)
    rows = list(csv.DictReader(buffer))
    return statistics.mean(float(row["score"]) for row in rows)


def numbers():
    decimal.getcontext().prec = 30
    total = sum(decimal.Decimal(i) / 7 for i in range(1500))
    start = datetime.datetime(2026, 1, 1)
    days = [(start + datetime.timedelta(hours=i)).isoformat() for i in range(1500)]
    parsed = [datetime.datetime.fromisoformat(day) for day in days]
    generator = random.Random(1)
    picks = [generator.randint(1, 100) + generator.random() for _ in range(5000)]
    generator.shuffle(picks)
    return total, max(parsed).strftime("%d %b"), sorted(picks)[0]


def bytes_and_text():
    data = log.encode()
    packed = zlib.compress(data)
    assert zlib.decompress(packed) == data and base64.b64decode(base64.b64encode(packed)) == packed
    digests = [hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256", "blake2b")]
    values = struct.unpack("<200I", struct.pack("<200I", *range(200)))
    copied = pickle.loads(pickle.dumps(records))
    lines = textwrap.wrap(log[:5000], 60)
    filled = string.Template("$a and ${b}").substitute(a=1, b=2) + "{:>10}|{:<8.3f}|{!r}".format("x", 2.5, "y") + "%05d %s" % (42, "z")
    for line in io.StringIO(log):
        line.rstrip().split(" ")
    return digests, len(values), len(copied), len(lines), filled


def compiling():
    with open(__file__.replace("library.py", "language.py"), encoding="utf-8") as file:
        source = file.read()
    for _ in range(3):
        compile(source, "x.py", "exec")


for _ in range(8):
    results = json_trips(), expressions(), tables(), numbers(), bytes_and_text()
    compiling()
print(results)

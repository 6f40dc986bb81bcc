"""Training set: what the interpreter itself does in ordinary programs."""

import collections
import dataclasses
import functools
import heapq
import itertools
import math


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def norm(self):
        return math.sqrt(self.x * self.x + self.y * self.y)


class Shape:
    sides = 0

    def area(self):
        return 0.0

    def describe(self):
        return f"{type(self).__name__} with {self.sides} sides and area {self.area():.2f}"


class Square(Shape):
    sides = 4

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


class Circle(Shape):
    def __init__(self, radius):
        super().__init__()
        self.radius = radius

    @property
    def diameter(self):
        return 2 * self.radius

    def area(self):
        return math.pi * self.diameter**2 / 4


@dataclasses.dataclass(order=True)
class Order:
    price: float
    name: str
    tags: list = dataclasses.field(default_factory=list)


def floats(n):
    bodies = [[i * 1.5, i * -0.5, 0.25 * i, 1.0 / (i + 1)] for i in range(6)]
    for _ in range(n):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1 :]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                force = 0.001 / (dx * dx + dy * dy + dz * dz + 0.01) ** 1.5
                a[0] -= dx * force * b[3]
                b[1] += dy * force * a[3]
                a[2] -= dz * force
    return sum(body[0] for body in bodies)


def integers(n):
    sieve = bytearray([1]) * n
    for i in range(2, int(n**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, n, i)))
    total = 0
    for i in range(n):
        if sieve[i] and i % 7 != 3:
            total = (total * 31 + i) & 0xFFFFFFFF
    return total, pow(3, n, 1000007), math.factorial(300) % (10**9 + 7)


def permutations(n):
    items = list(range(n))
    flips = 0
    for order in itertools.permutations(items):
        row = list(order)
        while row[0]:
            k = row[0] + 1
            row[:k] = row[k - 1 :: -1] if k <= len(row) else row[::-1]
            flips += 1
            row.insert(0, row.pop(0))
            if flips % 5 == 0:
                break
    return flips


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.lru_cache(maxsize=None)
def cached(n):
    return n if n < 2 else cached(n - 1) + cached(n - 2)


def dicts(n):
    counts, groups = {}, collections.defaultdict(list)
    for i in range(n):
        key = f"user{i * 7919 % 997}"
        counts[key] = counts.get(key, 0) + 1
        groups[i % 13].append(key)
        if i % 5 == 0:
            counts.pop(f"user{i % 997}", None)
    seen = {key for keys in groups.values() for key in keys}
    top = collections.Counter(counts).most_common(5)
    merged = {**counts, "extra": len(seen)}
    return sorted(merged.items(), key=lambda pair: (-pair[1], pair[0]))[:3], top


def strings(n):
    words = "the quick brown fox jumps over the lazy dog and runs away".split()
    out = []
    for i in range(n):
        word = words[i % len(words)]
        out.append(word.upper() if i % 2 else word.capitalize())
        if word.startswith("q") or "o" in word:
            out[-1] += "-" + str(i)
    text = " ".join(out)
    return text.replace("the", "a").count("a"), len(text.encode()), text.find("zebra"), text[::-1][:20].strip("-0123456789")


def objects(n):
    total = Vector(0, 0)
    shapes = [Square(i) if i % 2 else Circle(i) for i in range(20)]
    for i in range(n):
        total = total + Vector(i, -i)
        shapes[i % 20].area()
        if i % 50 == 0:
            shapes[i % 20].describe()
    return total.norm(), sum(map(Shape.area, shapes)), [getattr(s, "radius", None) for s in shapes][:2]


def generators(n):
    def numbers():
        for i in range(n):
            yield i

    def pairs(source):
        for value in source:
            if value % 3:
                yield value, value * value

    def delegate():
        yield from pairs(numbers())

    return sum(b - a for a, b in delegate()), len([x for x in zip(range(n), itertools.count(5)) if x[0] & 1])


def exceptions(n):
    failed = 0
    for i in range(n):
        try:
            if i % 3 == 0:
                raise ValueError(i)
            int("12" if i % 3 == 1 else "x")
        except (ValueError, KeyError) as error:
            failed += len(error.args)
        finally:
            failed += 1
        with Guard():
            failed -= 1
    return failed


class Guard:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        return False


def structures(n):
    heap, queue = [], collections.deque(maxlen=50)
    for i in range(n):
        heapq.heappush(heap, (i * 7919 % 10007, i))
        queue.append(i)
        if len(heap) > 100:
            queue.appendleft(heapq.heappop(heap)[1])
    orders = [Order(i * 37 % 11 / 3, f"n{i % 5}") for i in range(n // 20)]
    matrix = [[i * j for j in range(20)] for i in range(20)]
    transposed = list(map(list, zip(*matrix)))
    return min(orders), sorted(orders, reverse=True)[0].name, sum(map(sum, transposed)), tuple(queue)[:2]


def calls(n):
    def plain(a, b=2, *rest, key=None, **more):
        return a + b + len(rest) + len(more)

    bound = functools.partial(plain, 1)
    total = 0
    for i in range(n):
        total += plain(i) + plain(i, 3, 4, 5) + plain(1, key=i, other=2) + bound(*(1, 2), **{"z": 3})
        total += max(i, 5, key=lambda value: -value) + len([*range(3)]) + abs(-i) + divmod(i, 7)[1]
        a, (b, *c) = i, [1, 2, 3]
        match c:
            case [2, last]:
                total += last
            case _:
                total -= 1
        total = total if total < 10**9 else total - 10**9
    return total


for _ in range(3):
    results = [
        floats(6000), integers(200000), permutations(7), fibonacci(21), cached(100), dicts(60000), strings(40000),
        objects(60000), generators(80000), exceptions(40000), structures(40000), calls(20000),
    ]
print(results)

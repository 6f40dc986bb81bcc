import time


def fannkuch(n):
    count = list(range(1, n + 1))
    best = checksum = 0
    perm1 = list(range(n))
    r = n
    even = True
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        perm = perm1[:]
        flips = 0
        k = perm[0]
        while k:
            perm[: k + 1] = reversed(perm[: k + 1])
            flips += 1
            k = perm[0]
        best = max(best, flips)
        checksum += flips if even else -flips
        even = not even
        while True:
            if r == n:
                return checksum, best
            perm1.insert(r, perm1.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


started = time.perf_counter()
result = fannkuch(9)
seconds = time.perf_counter() - started
print(f"{result[0]}:{result[1]}", seconds)

# {"ends": ["ok", "GUEST_CRASHED"]}
# Freed from the outside in, one inside the other.
class Box:
    pass


inner = None
for _ in range(100_000):
    box = Box()
    box.inner = inner
    inner = box
del box
inner = None

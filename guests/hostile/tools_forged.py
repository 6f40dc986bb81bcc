# {"ends": "ok", "stdout": "held\n"}
for name in ["__class__", "missing", "a" * 100_000, "\u00f8" * 100_000, "missing\n{}", "", "\x00", "../x"]:
    try:
        getattr(tools, name)()
        if name != "__class__":
            print("answered", name)
    except (RuntimeError, AttributeError, TypeError, ValueError):
        pass
print("held")

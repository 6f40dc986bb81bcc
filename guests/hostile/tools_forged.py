# {"ends": "ok", "stdout": "held\n", "linux": {"ends": ["ok", "exit"], "stdout": null}}
for name in ["__class__", "missing", "a" * 100_000, "", "\x00", "../x"]:
    try:
        getattr(tools, name)()
        if name != "__class__":
            print("answered", name)
    except (RuntimeError, AttributeError, TypeError, ValueError):
        pass
print("held")

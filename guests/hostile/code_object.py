# {"ends": ["GUEST_CRASHED", "exit", "TIMED_OUT", "MEMORY_EXCEEDED", "ok"]}
# Byte code that no compiler would write.
def victim():
    pass


victim.__code__ = victim.__code__.replace(co_code=bytes(range(256)) * 4, co_stacksize=2)
victim()

# {"ends": "TIMED_OUT"}
# Swallows everything that is thrown at it.
while True:
    try:
        while True:
            pass
    except BaseException:
        continue
    finally:
        continue

# {"ends": ["TIMED_OUT", "exit"]}
# Each level calls twice, so the recursion limit alone would take longer than the universe has.
def down():
    try:
        down()
    finally:
        down()


down()

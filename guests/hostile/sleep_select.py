# {"ends": ["TIMED_OUT", "exit"]}
import select

select.select([0], [], [], None)
while True:
    select.select([], [], [], 3600)

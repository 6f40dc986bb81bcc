# {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED"]}
9**9**9

// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED", "exit"]}
9n ** 9n ** 9n;

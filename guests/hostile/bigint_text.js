// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED", "exit"]}
(1n << 10_000_000n).toString();

// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED", "exit"], "container": {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED", "exit", "ok"]}}
(1n << 10_000_000n).toString();

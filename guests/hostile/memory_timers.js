// {"ends": ["MEMORY_EXCEEDED", "TIMED_OUT", "exit"]}
for (;;) setTimeout(() => {}, 1e9);

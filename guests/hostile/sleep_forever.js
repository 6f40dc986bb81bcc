// {"ends": "TIMED_OUT"}
await new Promise((wake) => setTimeout(wake, 2 ** 31 - 1));

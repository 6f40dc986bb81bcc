// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED"]}
Array.prototype.indexOf.call({ length: Number.MAX_SAFE_INTEGER }, 1);

// {"ends": "exit", "container": {"ends": ["exit", "MEMORY_EXCEEDED"]}}
new ArrayBuffer(2 ** 53);

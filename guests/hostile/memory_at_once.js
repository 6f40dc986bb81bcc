// {"ends": ["MEMORY_EXCEEDED", "exit"]}
new ArrayBuffer(2 ** 31 - 1);

// {"ends": "exit"}
new ArrayBuffer(2 ** 53);

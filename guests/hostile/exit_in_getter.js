// {"ends": "exit", "exitCode": 4}
console.log({ get x() { return process.exit(4); } }.x);

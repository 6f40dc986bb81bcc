// {"ends": "exit", "exitCode": 1}
throw new Proxy({}, { get() { for (const _ of [1]) throw 1; } });

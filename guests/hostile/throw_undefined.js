// {"ends": "exit", "exitCode": 1}
throw undefined;

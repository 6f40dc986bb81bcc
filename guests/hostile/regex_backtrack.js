// {"ends": "TIMED_OUT"}
/^(a+)+$/.test("a".repeat(60) + "b");

// {"ends": "TIMED_OUT"}
for (;;);

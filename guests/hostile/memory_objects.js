// {"ends": "MEMORY_EXCEEDED"}
let kept = null;
for (;;) kept = { kept };

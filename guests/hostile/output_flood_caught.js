// {"ends": "OUTPUT_EXCEEDED", "container": {"ends": ["OUTPUT_EXCEEDED", "MEMORY_EXCEEDED"]}}
for (;;) {
  try {
    process.stdout.write("x".repeat(65536));
  } catch {
    continue;
  }
}

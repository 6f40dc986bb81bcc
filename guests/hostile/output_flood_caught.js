// {"ends": "OUTPUT_EXCEEDED"}
for (;;) {
  try {
    process.stdout.write("x".repeat(65536));
  } catch {
    continue;
  }
}

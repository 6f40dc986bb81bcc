// {"ends": "exit", "exitCode": 6}
try {
  process.exit(6);
} catch {
  for (;;);
} finally {
  for (;;);
}

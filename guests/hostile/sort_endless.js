// {"ends": "TIMED_OUT"}
[2, 1].sort(() => {
  for (;;);
});

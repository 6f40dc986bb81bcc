// {"ends": "TIMED_OUT"}
Array.from({
  [Symbol.iterator]() {
    return { next: () => ({ done: false, get value() { for (;;); } }) };
  },
});

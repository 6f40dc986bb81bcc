// {"ends": ["TIMED_OUT", "exit"]}
await new Promise(() => {});

// {"ends": "TIMED_OUT"}
setInterval(() => {}, 0);

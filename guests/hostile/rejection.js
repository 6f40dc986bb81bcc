// {"ends": "exit", "exitCode": 1, "stderr": "nobody caught this"}
Promise.reject(new Error("nobody caught this"));
await new Promise((done) => setTimeout(done, 1));

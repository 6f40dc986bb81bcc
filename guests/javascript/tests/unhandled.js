Promise.reject(new Error("nobody listens"));
setTimeout(() => console.log("never"), 5);

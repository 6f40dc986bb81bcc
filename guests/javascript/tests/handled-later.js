const p = Promise.reject(new Error("caught in time"));
p.catch((error) => console.log(error.message));
const q = Promise.reject(1);
queueMicrotask(() => q.catch(() => console.log("caught in a microtask")));
process.on("unhandledRejection", (reason) => console.log("seen", reason));
Promise.reject("unhandled");
process.on("uncaughtException", (error) => console.log("also seen", error.message));
setTimeout(() => { throw new Error("late"); }, 1);
setTimeout(() => console.log("still running"), 5);

process.exitCode = 3;
setTimeout(() => console.log("later"), 1);

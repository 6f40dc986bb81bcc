process.stdin.setEncoding("utf8");
const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", () => console.log(chunks.length, chunks.join("").length));

// {"ends": ["exit", "ok", "TIMED_OUT", "MEMORY_EXCEEDED"]}
// Lengths that lie, arrays that change under their own methods.
const array = new Array(2 ** 32 - 1);
array.fill(0, 0, 10);
const sly = [1, 2, 3];
Object.defineProperty(sly, 1, { get() { sly.length = 0; return 1; } });
sly.map((x) => x).concat(sly).splice(0, 1e9);
array.join("");

try {
  const all = [];
  for (;;) all.push(new Uint8Array(8 << 20).fill(1));
} catch (error) {
  console.log(error.name, error.message);
}
try {
  let s = "x";
  for (;;) s += s;
} catch (error) {
  console.log(error.name);
}
try {
  const list = [];
  for (;;) list.push({ list: [list.length] });
} catch (error) {
  console.log(error.name, error.message);
}
console.log("alive");

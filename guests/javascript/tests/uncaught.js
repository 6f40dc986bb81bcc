function inner() {
  throw new TypeError("boom");
}
function outer() {
  inner();
}
console.log("before");
outer();

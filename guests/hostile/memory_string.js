// {"ends": ["MEMORY_EXCEEDED", "exit"]}
let text = "x";
const kept = [];
for (;;) {
  text += text + "y";
  kept.push(text.toUpperCase());
}

// {"ends": ["ok", "exit", "TIMED_OUT"]}
// Fills what is left of the stack again from inside each handler.
let depth = 0;
function down() {
  depth++;
  try {
    down();
  } catch {
    if (depth < 1e5) down();
  }
}
down();

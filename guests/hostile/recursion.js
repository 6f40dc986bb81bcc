// {"ends": "exit", "stderr": "RangeError|stack"}
const down = () => down() + 1;
down();

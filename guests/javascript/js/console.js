import { formatWithOptions, inspect } from "node-inspect-extracted";
import { define, native } from "./native.js";

let indent = "";
let counts = new Map();
let timersByLabel = new Map();

/** What printOut and printErr cannot print by themselves. */
export function print(fd, ...args) {
  let text = formatWithOptions({}, ...args);
  if (indent) text = indent + text.replaceAll("\n", `\n${indent}`);
  native.write(fd, `${text}\n`);
}

const { printOut: log, printErr: error } = native;

function setIndent(value) {
  indent = value;
  native.setIndented(indent !== "");
}

const cell = (value) => inspect(value, { depth: value !== null && typeof value === "object" && Object.keys(value).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });

// wide characters take two columns in a terminal; a table of emoji may still be off by one
const widthOf = (text) => [...text].reduce((sum, char) => sum + (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u.test(char) ? 2 : 1), 0);

function drawTable(heads, columns) {
  const rows = Math.max(0, ...columns.map((column) => column.length));
  const widths = heads.map((head, i) => Math.max(widthOf(head), ...columns[i].map(widthOf)) + 2);
  const line = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const row = (cells) => `│${cells.map((text, i) => ` ${text}${" ".repeat(widths[i] - widthOf(text) - 1)}`).join("│")}│`;
  const body = Array.from({ length: rows }, (_, r) => row(columns.map((column) => column[r] ?? "")));
  return [line("┌", "┬", "┐"), row(heads), line("├", "┼", "┤"), ...body, line("└", "┴", "┘")].join("\n");
}

function table(data, only) {
  if (data === null || typeof data !== "object") return log(data);
  const isMap = data instanceof Map;
  const entries = isMap ? [...data].map(([key, value], i) => [i, value, key]) : data instanceof Set ? [...data].map((value, i) => [i, value]) : Object.entries(data);
  const heads = [isMap || data instanceof Set ? "(iteration index)" : "(index)"];
  const columns = [entries.map(([key]) => `${key}`)];
  if (isMap) {
    heads.push("Key");
    columns.push(entries.map(([, , key]) => cell(key)));
  }
  const names = [];
  let plain = false;
  for (const [, value] of entries) {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || isMap) plain = true;
    else for (const name of only ?? Object.keys(value)) if (!names.includes(name)) names.push(name);
  }
  const isRow = (value) => !isMap && value !== null && (typeof value === "object" || typeof value === "function");
  for (const name of names) {
    heads.push(name);
    columns.push(entries.map(([, value]) => (isRow(value) && Object.hasOwn(value, name) ? cell(value[name]) : "")));
  }
  if (plain) {
    heads.push("Values");
    columns.push(entries.map(([, value]) => (isRow(value) ? "" : cell(value))));
  }
  log(drawTable(heads, columns));
}

function elapsed(label) {
  const start = timersByLabel.get(label);
  if (start === undefined) {
    error(`Warning: No such label '${label}' for console.time()`);
    return null;
  }
  const ms = native.now() - start;
  return ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`;
}

const methods = {
  log,
  info: log,
  debug: log,
  error,
  warn: error,
  trace(...args) {
    const { stack } = new Error();
    const frames = stack.split("\n").slice(1);
    error(`Trace${args.length ? `: ${formatWithOptions({}, ...args)}` : ""}${frames.length ? `\n${frames.join("\n")}` : ""}`);
  },
  dir: (value, options) => log(inspect(value, { customInspect: false, ...options })),
  dirxml: log,
  assert(ok, ...args) {
    if (ok) return;
    if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift(args.length ? "Assertion failed:" : "Assertion failed");
    error(...args);
  },
  table,
  count(label = "default") {
    const n = (counts.get(`${label}`) ?? 0) + 1;
    counts.set(`${label}`, n);
    log(`${label}: ${n}`);
  },
  countReset(label = "default") {
    if (!counts.delete(`${label}`)) error(`Warning: Count for '${label}' does not exist`);
  },
  time(label = "default") {
    if (timersByLabel.has(`${label}`)) return error(`Warning: Label '${label}' already exists for console.time()`);
    timersByLabel.set(`${label}`, native.now());
  },
  timeLog(label = "default", ...args) {
    const time = elapsed(`${label}`);
    if (time) log(`${label}: ${time}`, ...args);
  },
  timeEnd(label = "default") {
    const time = elapsed(`${label}`);
    if (time) log(`${label}: ${time}`);
    timersByLabel.delete(`${label}`);
  },
  group(...args) {
    if (args.length) log(...args);
    setIndent(`${indent}  `);
  },
  groupEnd: () => setIndent(indent.slice(2)),
};
methods.groupCollapsed = methods.group;

export function installConsole() {
  const console = Object.assign(Object.create({}), methods);
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  define({ console });
}

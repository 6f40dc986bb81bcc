// error.stack as V8 has it: a first line with name and message, then the frames.
const { get: frames, set } = Object.getOwnPropertyDescriptor(Error.prototype, "stack");
const capture = Error.captureStackTrace;

// frames of the prelude, which has no file name, are left out
const tidy = (text) =>
  text
    .replace(/^    at .*\(<null>.*\n/gm, "")
    .replace(/^    at <(?:anonymous|eval)> \((.*)\)$/gm, "    at $1")
    .replace(/\n$/, "");

function header(error) {
  try {
    return String(Error.prototype.toString.call(error));
  } catch {
    return "Error";
  }
}

export function installErrors() {
  Object.defineProperty(Error.prototype, "stack", {
    configurable: true,
    get() {
      const own = frames.call(this);
      if (typeof own !== "string" || typeof Error.prepareStackTrace === "function") return own;
      const text = tidy(own);
      return text ? `${header(this)}\n${text}` : header(this);
    },
    set,
  });
  Error.captureStackTrace = function captureStackTrace(target, from = captureStackTrace) {
    capture(target, from);
    if (typeof Error.prepareStackTrace === "function") return;
    const own = Object.getOwnPropertyDescriptor(target, "stack");
    if (typeof own?.value !== "string") return;
    const value = `${header(target)}\n${tidy(own.value)}`;
    Object.defineProperty(target, "stack", { value, writable: true, configurable: true, enumerable: false });
  };
}

// tools.name(input): host functions. Calls run at the same time; the event loop hands out their answers.
import { define, native } from "./native.js";
import { updateWaiting } from "./loop.js";

export class ToolError extends Error {}
export class ToolInputError extends ToolError {}
for (const type of [ToolError, ToolInputError]) {
  Object.defineProperty(type.prototype, "name", { value: type.name, writable: true, configurable: true });
}

let calls = new Map();
export const outstanding = () => calls.size;
export const forgetCalls = () => calls.clear();

function begin(name, args) {
  if (args.length > 1 || (args.length === 1 && (typeof args[0] !== "object" || args[0] === null || Array.isArray(args[0])))) {
    throw new TypeError(`tools.${name} takes one object, as in tools.${name}({ key: value })`);
  }
  const json = JSON.stringify(args[0] ?? {});
  if (json === undefined || json[0] !== "{") throw new TypeError(`tools.${name} takes an object that JSON can hold`);
  const from = new ToolError();
  const id = native.callBegin(name, json);
  return new Promise((resolve, reject) => {
    calls.set(id, { name, resolve, reject, from });
    updateWaiting();
  });
}

/** Settles one call with what the host answered. */
export function answer([id, status, text]) {
  const call = calls.get(id);
  calls.delete(id);
  if (!call) return;
  if (status === 0) {
    let value;
    try {
      value = text === "" ? undefined : JSON.parse(text);
    } catch {
      return call.reject(failed(call, ToolError, `tools.${call.name}: the answer is not JSON`));
    }
    return call.resolve(value);
  }
  call.reject(failed(call, status === 2 ? ToolInputError : ToolError, text));
}

// The frames are those of the call, not those of the event loop.
function failed(call, type, message) {
  const error = new type(message);
  const frames = call.from.stack.split("\n").slice(1);
  Object.defineProperty(error, "stack", {
    value: [`${error.name}: ${message}`, ...frames].join("\n"),
    writable: true,
    configurable: true,
  });
  Object.defineProperty(error, "tool", { value: call.name, writable: true, configurable: true, enumerable: true });
  return error;
}

const functions = new Map();
const base = Object.create(null, {
  ToolError: { value: ToolError },
  ToolInputError: { value: ToolInputError },
  [Symbol.toStringTag]: { value: "tools" },
});

export const tools = new Proxy(base, {
  get(_, name) {
    if (typeof name !== "string" || name === "then" || name in base) return base[name];
    let call = functions.get(name);
    if (!call) {
      call = { [name]: async (...args) => begin(name, args) }[name];
      functions.set(name, call);
    }
    return call;
  },
  has: (_, name) => typeof name === "string",
  set() {
    throw new TypeError("tools belongs to the host and cannot be changed");
  },
  defineProperty() {
    throw new TypeError("tools belongs to the host and cannot be changed");
  },
});

export function installTools() {
  define({ tools, ToolError });
}

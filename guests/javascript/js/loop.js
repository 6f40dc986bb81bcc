// Timers, immediates and outstanding tool calls. guest.c calls step() until it says false; microtasks run in between.
import { define, native } from "./native.js";
import { answer, forgetCalls, outstanding } from "./tools.js";

let heap = []; // by due time, then by age
let immediates = [];
let ready = []; // callbacks of the round in hand
let age = 0;
let held = 0; // timers that keep the run going
const byId = new Map();

const before = (a, b) => a.due < b.due || (a.due === b.due && a.age < b.age);

function push(timer) {
  let i = heap.length;
  heap.push(timer);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(timer, heap[parent])) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = timer;
}

function pop() {
  const first = heap[0];
  const last = heap.pop();
  if (heap.length) {
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
  }
  return first;
}

export function updateWaiting() {
  native.setWaiting(held > 0 || immediates.length > 0 || ready.length > 0 || outstanding() > 0);
}

function hold(timer, by) {
  if (!timer.refed) return;
  held += by;
  updateWaiting();
}

class Timeout {
  constructor(callback, ms, args, repeat) {
    this.callback = callback;
    this.ms = ms >= 1 && ms <= 2147483647 ? Math.trunc(ms) : 1;
    this.args = args;
    this.repeat = repeat;
    this.refed = true;
    this.id = ++age;
    this.active = false;
    this.queued = false;
    start(this);
  }
  ref() {
    if (!this.refed) {
      this.refed = true;
      if (this.active) hold(this, 1);
    }
    return this;
  }
  unref() {
    if (this.refed && this.active) hold(this, -1);
    this.refed = false;
    return this;
  }
  hasRef() {
    return this.refed;
  }
  refresh() {
    if (this.active) start(this);
    return this;
  }
  close() {
    stop(this);
    return this;
  }
  [Symbol.toPrimitive]() {
    return this.id;
  }
  [Symbol.dispose]() {
    stop(this);
  }
}

function start(timer) {
  if (!timer.active) {
    timer.active = true;
    byId.set(timer.id, timer);
    hold(timer, 1);
  }
  timer.entry = { due: native.now() + timer.ms, age: ++age, timer };
  push(timer.entry);
}

function stop(timer) {
  if (!timer.active) return;
  timer.active = false;
  timer.entry = null;
  byId.delete(timer.id);
  hold(timer, -1);
}

function fire(entry) {
  const { timer } = entry;
  if (timer.entry !== entry) return;
  if (timer.repeat) start(timer);
  else stop(timer);
  timer.callback(...timer.args);
}

class Immediate {
  constructor(callback, args) {
    this.callback = callback;
    this.args = args;
    immediates.push(this);
    updateWaiting();
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  hasRef() {
    return true;
  }
  [Symbol.dispose]() {
    this.callback = null;
  }
}

function live() {
  while (heap.length && heap[0].timer.entry !== heap[0]) pop();
  return heap[0];
}

/** Runs one callback, waiting for it if need be. False when nothing is left to wait for. */
export function step() {
  if (!ready.length) fill();
  const next = ready.shift();
  updateWaiting();
  if (!next) return held > 0 || immediates.length > 0 || outstanding() > 0;
  next();
  return true;
}

function fill() {
  let first = live();
  const calls = outstanding() > 0;
  const idle = !immediates.length;
  let wait = idle ? (first ? Math.max(0, first.due - native.now()) : -1) : 0;
  if (calls) {
    const done = native.callWait(wait);
    if (done) ready.push(() => answer(done));
  } else if (idle) {
    if (wait > 0 && held > 0) native.sleep(wait);
  }
  const now = native.now();
  const due = [];
  while ((first = live()) && first.due <= now) due.push(pop());
  if (due.length) ready = [...due.map((entry) => () => fire(entry)), ...ready];
  if (!idle) {
    const batch = immediates;
    immediates = [];
    for (const item of batch) ready.push(() => item.callback?.(...item.args));
  }
}

/** Forgets everything, at the end of a run that an error or process.exit ended. */
export function reset() {
  for (const timer of byId.values()) timer.active = false;
  heap = [];
  immediates = [];
  ready = [];
  held = 0;
  byId.clear();
  forgetCalls();
}

function check(callback) {
  if (typeof callback !== "function") {
    const error = new TypeError(`The "callback" argument must be of type function. Received ${callback === null ? "null" : typeof callback}`);
    error.code = "ERR_INVALID_ARG_TYPE";
    throw error;
  }
  return callback;
}

const clearTimeout = (timer) => {
  const found = timer instanceof Timeout ? timer : byId.get(Number(timer));
  if (found) stop(found);
};

export const timers = {
  setTimeout: (callback, ms, ...args) => new Timeout(check(callback), Number(ms), args, false),
  setInterval: (callback, ms, ...args) => new Timeout(check(callback), Number(ms), args, true),
  setImmediate: (callback, ...args) => new Immediate(check(callback), args),
  clearTimeout,
  clearInterval: (timer) => clearTimeout(timer),
  clearImmediate: (item) => {
    if (item instanceof Immediate) item.callback = null;
  },
};

const abortable = (signal, begin) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = begin(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });

export const promises = {
  async setTimeout(ms, value, { signal } = {}) {
    await abortable(signal, (done) => {
      const timer = timers.setTimeout(done, ms);
      return () => clearTimeout(timer);
    });
    return value;
  },
  async setImmediate(value, { signal } = {}) {
    await abortable(signal, (done) => {
      const item = timers.setImmediate(done);
      return () => timers.clearImmediate(item);
    });
    return value;
  },
  async *setInterval(ms, value, { signal } = {}) {
    for (;;) {
      await promises.setTimeout(ms, undefined, { signal });
      yield value;
    }
  },
};
promises.scheduler = { wait: (ms, options) => promises.setTimeout(ms, undefined, options), yield: () => promises.setImmediate() };

export function installTimers() {
  define(timers);
}

// AbortController over event-target-shim's events, which leaves only the signal itself to write.
import { Event, EventTarget, getEventAttributeValue, setEventAttributeValue } from "event-target-shim";
import { define } from "./native.js";

const key = Symbol("AbortSignal");

class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  #dependents = new Set();
  constructor(given) {
    if (given !== key) throw new TypeError("Illegal constructor");
    super();
  }
  get aborted() {
    return this.#aborted;
  }
  get reason() {
    return this.#reason;
  }
  get onabort() {
    return getEventAttributeValue(this, "abort");
  }
  set onabort(listener) {
    setEventAttributeValue(this, "abort", listener);
  }
  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }
  static #fire(signal, reason = new DOMException("This operation was aborted", "AbortError")) {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason;
    signal.dispatchEvent(new Event("abort"));
    for (const dependent of signal.#dependents) AbortSignal.#fire(dependent, reason);
  }
  static abort(reason) {
    const signal = new AbortSignal(key);
    AbortSignal.#fire(signal, reason);
    return signal;
  }
  static timeout(ms) {
    const signal = new AbortSignal(key);
    const expire = () => AbortSignal.#fire(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    setTimeout(expire, ms).unref();
    return signal;
  }
  static any(signals) {
    const signal = new AbortSignal(key);
    for (const source of signals) {
      if (source.#aborted) {
        AbortSignal.#fire(signal, source.#reason);
        return signal;
      }
    }
    for (const source of signals) source.#dependents.add(signal);
    return signal;
  }
  static {
    AbortSignal.fire = AbortSignal.#fire;
  }
}
const { fire } = AbortSignal;
delete AbortSignal.fire;
Object.defineProperty(AbortSignal.prototype, Symbol.toStringTag, { value: "AbortSignal", configurable: true });

class AbortController {
  #signal = new AbortSignal(key);
  get signal() {
    return this.#signal;
  }
  abort(reason) {
    fire(this.#signal, reason);
  }
}
Object.defineProperty(AbortController.prototype, Symbol.toStringTag, { value: "AbortController", configurable: true });

class CustomEvent extends Event {
  #detail;
  constructor(type, options) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() {
    return this.#detail;
  }
}

define({ AbortController, AbortSignal, CustomEvent, Event, EventTarget });

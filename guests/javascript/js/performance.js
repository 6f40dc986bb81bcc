import { define, native } from "./native.js";

class Performance {
  get timeOrigin() {
    return native.attachedUnix();
  }
  now() {
    return native.now() - native.attachedAt();
  }
  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: "Performance", configurable: true });

define({ performance: new Performance() });

// build.sh wraps the bundle in a function whose parameter is the object that the C side fills.
export const native = /** @type {any} */ (__native);

/** Adds globals the way the platform has them: writable, configurable, not enumerable. */
export function define(values) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

// node-inspect-extracted reads every intrinsic when it loads; main.js takes this one away again
export const withoutAtomics = !("Atomics" in globalThis);
if (withoutAtomics) globalThis.Atomics = {};

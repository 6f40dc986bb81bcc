// {"ends": ["exit", "ok"]}
// Bounds that move while a method is under way.
const buffer = new ArrayBuffer(1024, { maxByteLength: 1 << 20 });
const view = new Uint8Array(buffer);
view.fill({ valueOf() { buffer.resize?.(0); return 1; } });
view.set({ length: 10, get 0() { return 1; } });
new DataView(buffer).setFloat64({ valueOf: () => 1e9 }, 1);

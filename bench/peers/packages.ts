/** Packages that run code inside of a JavaScript process. Each is loaded once, as a server would, and starts afresh each time. */
import { assertOutput, type Peer, since } from "./peer.ts";

/** A peer that is a package of npm; `load` gives how it starts and runs code to its end. */
function inProcess(
  name: string,
  lang: Peer["lang"],
  load: () => Promise<(code: string, print: (text: string) => void) => unknown>,
): Peer {
  let run: Awaited<ReturnType<typeof load>> | undefined;
  return {
    name,
    lang,
    async missing() {
      try {
        run = await load();
      } catch (error) {
        return (error as Error).message.split("\n")[0];
      }
    },
    async fresh(code, expected) {
      let first = 0;
      let text = "";
      const started = performance.now();
      await run!(code, (more) => {
        first ||= since(started);
        text += more;
      });
      assertOutput(name, text, expected);
      return first;
    },
  };
}

/** QuickJS compiled to WebAssembly. */
export const quickjsEmscripten: Peer = inProcess(
  "quickjs-emscripten",
  "javascript",
  async () => {
    const { getQuickJS } = await import("quickjs-emscripten");
    const quickjs = await getQuickJS();
    return (code, print) => {
      const runtime = quickjs.newRuntime();
      const context = runtime.newContext();
      const log = context.newFunction("log", (...values) => {
        print(`${values.map((value) => context.dump(value)).join(" ")}\n`);
      });
      const console = context.newObject();
      context.setProp(console, "log", log);
      context.setProp(context.global, "console", console);
      log.dispose();
      console.dispose();
      context.unwrapResult(context.evalCode(code)).dispose();
      context.dispose();
      runtime.dispose();
    };
  },
);

/** QuickJS in WebAssembly with Node's names around it. */
export const sebastianwessel: Peer = inProcess(
  "@sebastianwessel/quickjs",
  "javascript",
  async () => {
    const { loadQuickJs } = await import("@sebastianwessel/quickjs");
    const module = await import("@jitl/quickjs-ng-wasmfile-release-sync");
    // Its types describe another module format than the one that is loaded.
    const variant = module.default as unknown as Parameters<
      typeof loadQuickJs
    >[0];
    const { runSandboxed } = await loadQuickJs(variant);
    return async (code, print) => {
      const log = (text: unknown) => print(`${text}\n`);
      const result = await runSandboxed(
        ({ evalCode }) => evalCode(`${code};export default 1`),
        { console: { log } },
      );
      if (!result.ok) throw new Error(JSON.stringify(result.error));
    };
  },
);

/** CPython compiled to WebAssembly for browsers. */
export const pyodide: Peer = inProcess("pyodide", "python", async () => {
  const { loadPyodide } = await import("pyodide");
  return async (code, print) => {
    const python = await loadPyodide();
    python.setStdout({ batched: (line: string) => print(`${line}\n`) });
    python.runPython(code);
  };
});

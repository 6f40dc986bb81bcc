import { output } from "../process.ts";
import { assertOutput, type Peer } from "./peer.ts";

const program = (code: string) => `
import sys, time
from hyperlight_sandbox import Sandbox
started = time.perf_counter()
sandbox = Sandbox(backend="wasm")
result = sandbox.run(${JSON.stringify(code)})
print((time.perf_counter() - started) * 1e6)
print(result.stdout, end="")
`;

/** hyperlight-sandbox of the Python index, where the host's python3 has it; from a Sandbox to its result. */
export const hyperlightSandbox: Peer = {
  name: "hyperlight-sandbox",
  lang: "python",
  async missing() {
    try {
      await output("python3", ["-c", program("print('hi')")]);
    } catch (error) {
      return (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) ??
        (error as Error).message.split("\n")[0];
    }
  },
  async fresh(code, expected) {
    const text = await output("python3", ["-c", program(code)]);
    const [us, ...printed] = text.split("\n");
    assertOutput(this.name, printed.join("\n"), expected);
    return Number(us);
  },
};

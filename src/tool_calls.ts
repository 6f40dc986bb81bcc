import type { ToolReply } from "./backends/backend.ts";
import type { ResolvedLimits } from "./options.ts";
import type { ToolCall } from "./result.ts";
import { type Tool, ToolRefusal } from "./tools.ts";

const _decoder = new TextDecoder("utf-8", { fatal: true });

/** Answers the calls of one run and keeps account of them. */
export class ToolCalls {
  readonly #tools: Readonly<Record<string, Tool>>;
  readonly #limits: ResolvedLimits;
  /** Calls in the order in which they ended. */
  readonly log: ToolCall[] = [];
  /** What tools threw, by the call. */
  readonly failures = new Map<number, unknown>();

  /** Tools of a session, for one run. */
  constructor(tools: Readonly<Record<string, Tool>>, limits: ResolvedLimits) {
    this.#tools = tools;
    this.#limits = limits;
  }

  /** Answers one call; never rejects. */
  async answer(
    name: string,
    input: Uint8Array,
    runEnded: AbortSignal,
    id: number,
  ): Promise<ToolReply> {
    const started = performance.now();
    const reply = await this.#answer(name, input, runEnded, id);
    const ms = performance.now() - started;
    this.log.push({ name, ms, ok: "json" in reply });
    return reply;
  }

  async #answer(
    name: string,
    input: Uint8Array,
    runEnded: AbortSignal,
    id: number,
  ): Promise<ToolReply> {
    const tool = Object.hasOwn(this.#tools, name)
      ? this.#tools[name]
      : undefined;
    if (!tool) return { error: "failed", message: `there is no tool ${name}` };
    let value: unknown;
    try {
      value = JSON.parse(_decoder.decode(input));
    } catch {
      return { error: "input", message: `${name}: the input is not JSON` };
    }
    const { toolTimeMs, toolBytes } = this.#limits;
    const controller = new AbortController();
    const end = () => controller.abort(runEnded.reason);
    runEnded.addEventListener("abort", end);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const message = `${name} took longer than ${toolTimeMs} ms`;
    const late = new Promise<ToolReply>((resolve) => {
      timer = setTimeout(() => {
        resolve({ error: "limit", message });
        controller.abort(new Error(message));
      }, toolTimeMs);
    });
    const context = { signal: controller.signal };
    const reply = tool.call(value, context).then(
      (json): ToolReply => {
        if (_utf8Bytes(json, toolBytes) <= toolBytes) return { json };
        const state = `${name} answered with more than ${toolBytes} bytes`;
        return { error: "limit", message: state };
      },
      (error: unknown): ToolReply => {
        if (error instanceof ToolRefusal) {
          return { error: "input", message: `${name}: ${error.message}` };
        }
        this.failures.set(id, error);
        return { error: "failed", message: `${name}: ${_messageOf(error)}` };
      },
    );
    try {
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
      runEnded.removeEventListener("abort", end);
    }
  }
}

function _messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "it failed with something that is no text";
  }
}

/** Length in UTF-8; counts no further than needed to know that it is past `enough`. */
function _utf8Bytes(text: string, enough: number): number {
  if (text.length > enough) return text.length;
  if (text.length * 3 <= enough) return text.length;
  return new TextEncoder().encode(text).byteLength;
}

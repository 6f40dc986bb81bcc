import { SandboxError } from "./errors.ts";

/**
 * The part of the Standard Schema interface that Mote uses; schemas of zod
 * (3.24 and later), valibot and arktype have it.
 */
export interface Schema<Input = unknown, Output = Input> {
  /** Standard Schema's own key. */
  readonly "~standard": {
    /** Version of that interface. */
    readonly version: 1;
    /** Who made the schema. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Types only, never there at run time. */
    readonly types?:
      | { readonly input: Input; readonly output: Output }
      | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One fault that a schema found. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where. */
  readonly path?:
    | readonly (PropertyKey | { readonly key: PropertyKey })[]
    | undefined;
}

/** What a tool is handed beside its input. */
export interface ToolContext {
  /** Aborted when the run ends or the call's time is over. */
  readonly signal: AbortSignal;
}

/** How a tool is described to {@linkcode tool}. */
export interface ToolDefinition<InputIn, Input, OutputIn, Output> {
  /** What the guest has to send. */
  input: Schema<InputIn, Input>;
  /** What the guest gets back. */
  output: Schema<OutputIn, Output>;
  /** Answers one call; may be async. Its errors reach the guest as a ToolError with the same message. */
  run(input: Input, context: ToolContext): OutputIn | Promise<OutputIn>;
}

/** A function of the host that guest code may call. */
export interface Tool {
  /** Answers one call with a JSON value; throws {@linkcode ToolRefusal} or what the tool threw. */
  readonly call: (input: unknown, context: ToolContext) => Promise<string>;
}

/** The guest's input was not what the tool takes. */
export class ToolRefusal extends Error {
  /** Always `"ToolRefusal"`. */
  override readonly name = "ToolRefusal";
}

/**
 * Makes a function of the host callable from the guest. Input and output are
 * validated, so that neither side has to trust the other.
 *
 * @example
 * ```ts
 * import { createSession, tool } from "@mote/sandbox";
 * import { z } from "zod";
 *
 * const weather = tool({
 *   input: z.object({ city: z.string() }),
 *   output: z.object({ celsius: z.number() }),
 *   run: ({ city }) => ({ celsius: city === "Oslo" ? 4 : 20 }),
 * });
 * const session = await createSession({ tools: { weather } });
 * const { stdout } = await session.run('print(tools.weather(city="Oslo")["celsius"])');
 * console.log(stdout); // 4
 * await session.close();
 * ```
 */
export function tool<InputIn, Input, OutputIn, Output>(
  definition: ToolDefinition<InputIn, Input, OutputIn, Output>,
): Tool {
  const input = _validator(definition?.input, "input");
  const output = _validator(definition?.output, "output");
  if (typeof definition.run !== "function") {
    throw new SandboxError(
      "INVALID_OPTION",
      "Cannot make a tool: run is not a function. Give a function that answers one call.",
    );
  }
  return {
    async call(value, context) {
      const accepted = await input(value);
      if (accepted.issues) {
        throw new ToolRefusal(_describe("input", accepted.issues));
      }
      const answer = await definition.run(accepted.value as Input, context);
      const returned = await output(answer);
      if (returned.issues) {
        throw new Error(_describe("output", returned.issues));
      }
      return _json(returned.value);
    },
  };
}

function _validator(
  schema: Schema<unknown, unknown> | undefined,
  part: string,
) {
  const standard = schema?.["~standard"];
  if (standard?.version !== 1 || typeof standard.validate !== "function") {
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot make a tool: ${part} is not a schema. Give one of zod 3.24 or later, or any Standard Schema.`,
    );
  }
  return standard.validate;
}

function _describe(part: string, issues: readonly SchemaIssue[]): string {
  const lines = issues.slice(0, 5).map(({ message, path }) => {
    const at = (path ?? []).map((step) =>
      String(typeof step === "object" ? step.key : step)
    );
    return at.length ? `${at.join(".")}: ${message}` : message;
  });
  return `${part} refused: ${lines.join("; ")}`;
}

function _json(value: unknown): string {
  const text = JSON.stringify(value === undefined ? null : value);
  if (text === undefined) throw new TypeError("output is not a JSON value");
  return text;
}

import { OutputChannel, OutputText } from "./output.ts";
import type { OutputChunk, RunResult } from "./result.ts";

/** The output of a run as it comes. Leaving the loop ends the run. */
export interface RunStream extends AsyncIterable<OutputChunk> {
  /** The whole result; settles when the loop has ended. */
  readonly result: Promise<RunResult>;
}

/** What a stream needs to start its run with. */
export type StartStreamedRun = (
  output: OutputText,
  onOutput: (chunk: OutputChunk) => void | Promise<void>,
  left: AbortSignal,
) => Promise<RunResult>;

/** A run that begins with the first turn of the loop. */
export function streamRun(start: StartStreamedRun): RunStream {
  const { promise: result, resolve, reject } = _withResolvers<RunResult>();
  // Whoever only loops gets the error from the loop.
  result.catch(() => {});
  let begun = false;
  return {
    result,
    [Symbol.asyncIterator](): AsyncIterator<OutputChunk> {
      if (begun) throw new TypeError("a run can be streamed once");
      begun = true;
      return _iterate(start, resolve, reject);
    },
  };
}

async function* _iterate(
  start: StartStreamedRun,
  resolve: (result: RunResult) => void,
  reject: (error: unknown) => void,
): AsyncGenerator<OutputChunk, void, void> {
  const channel = new OutputChannel();
  const left = new AbortController();
  const output = new OutputText();
  const run = start(output, (chunk) => channel.push(chunk), left.signal);
  const ended = run.then(resolve, reject).then(() => channel.end());
  let finished = false;
  try {
    for (let chunk; (chunk = await channel.take());) yield chunk;
    yield* output.end();
    await run;
    finished = true;
  } finally {
    if (!finished) {
      left.abort(new Error("the loop over the output was left"));
      channel.drop();
    }
    await ended;
  }
}

function _withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => [resolve, reject] = [yes, no]);
  return { promise, resolve, reject };
}

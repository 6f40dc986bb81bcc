import type { Host } from "./host.ts";
import type { Progress } from "./result.ts";

const _quietMs = 300;
const _barWidth = 24;

/** Says on stderr what a session does, when it was asked to or takes long. */
export class Reporter {
  readonly #host: Host;
  /** Whether lines are wanted. */
  readonly verbose: boolean;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  readonly #started = performance.now();
  #drawn = false;
  #lastPercent = -1;
  #lastStage = "";

  /** Lines come with `verbose`; a bar also on a terminal once 300 ms are over. */
  constructor(
    host: Host,
    verbose: boolean,
    onProgress?: (progress: Progress) => void,
  ) {
    this.#host = host;
    this.verbose = verbose;
    this.#onProgress = onProgress;
  }

  /** Says one line, with `verbose`. */
  line(text: string): void {
    if (!this.verbose) return;
    this.clear();
    this.#host.log(`mote: ${text}\n`);
  }

  /** Shows how far long work has come. */
  readonly progress = (progress: Progress): void => {
    this.#onProgress?.({ ...progress });
    const { done, total, text, stage } = progress;
    if (!this.#host.terminal) {
      if (stage !== this.#lastStage) this.line(text);
      this.#lastStage = stage;
      return;
    }
    const late = performance.now() - this.#started > _quietMs;
    if (!this.verbose && !late) return;
    const part = total > 0 ? Math.min(1, done / total) : 0;
    const percent = Math.floor(part * 100);
    if (percent === this.#lastPercent && stage === this.#lastStage) return;
    this.#lastPercent = percent;
    this.#lastStage = stage;
    const full = Math.round(part * _barWidth);
    const bar = "█".repeat(full) + "░".repeat(_barWidth - full);
    const amount = total > 0 ? `${bar} ${String(percent).padStart(3)} % ` : "";
    this.#host.log(`\r\x1b[2K${amount}${_printable(text)}`);
    this.#drawn = true;
  };

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn) this.#host.log("\r\x1b[2K");
    this.#drawn = false;
  }
}

/** Text without anything that a terminal would act on. */
function _printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").slice(0, 100);
}

import type { Progress } from "../result.ts";
import { printable, type Surface } from "./terminal.ts";

const _width = 24;
const _lineEveryMs = 10_000;
const _drawEveryMs = 1_000;

/** Shows long work: as a bar that moves on a terminal, as a line now and then elsewhere. */
export class Meter {
  readonly #surface: Surface;
  readonly #started = performance.now();
  #last: Progress | undefined;
  #said = -Infinity;
  #drawn = false;
  #clock: ReturnType<typeof setInterval> | undefined;

  /** Begins to measure. */
  constructor(surface: Surface) {
    this.#surface = surface;
    // What takes long says nothing for a while: the seconds show that it still works.
    this.#clock = setInterval(() => this.#show(), _drawEveryMs);
  }

  /** Takes news. */
  readonly progress = (progress: Progress): void => {
    this.#last = progress;
    this.#show();
  };

  /** Takes the bar away. */
  end(): void {
    clearInterval(this.#clock);
    if (this.#drawn) this.#surface.err.write("\r\x1b[2K");
    this.#drawn = false;
  }

  #show(): void {
    if (!this.#last) return;
    const { done, total, text } = this.#last;
    const { err } = this.#surface;
    const now = performance.now();
    const seconds = `${Math.round((now - this.#started) / 1000)} s`;
    if (err.isTerminal) {
      const full = total > 0 ? Math.round(done / total * _width) : 0;
      const bar = "█".repeat(full) + "░".repeat(_width - full);
      const line = `${total > 0 ? `${bar} ${done}/${total} ` : ""}${seconds}  ${
        printable(text)
      }`;
      err.write(`\r\x1b[2K${line.slice(0, err.columns - 1)}`);
      this.#drawn = true;
    } else if (now - this.#said >= _lineEveryMs) {
      this.#said = now;
      const amount = total > 0 ? `${done}/${total}, ` : "";
      err.write(`${printable(text)} (${amount}${seconds})\n`);
    }
  }
}

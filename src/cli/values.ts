import { SandboxError } from "../errors.ts";

const _units = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A duration such as `90s`, `45m`, `12h` or `30d`, in ms. */
export function durationMs(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount === undefined) {
    throw usage(
      `duration ${JSON.stringify(text)}`,
      "it is no number followed by s, m, h or d",
      "Give one such as 90s, 45m, 12h or 30d",
    );
  }
  return Number(amount) * _units[unit as keyof typeof _units] * 1_000;
}

/** A number of seconds within bounds. */
export function seconds(text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw usage(
    `time ${JSON.stringify(text)}`,
    `it is no whole number from ${min} to ${max}`,
    "Give seconds",
  );
}

/** One of some words. */
export function word<T extends string>(text: string, words: readonly T[]): T {
  if (words.includes(text as T)) return text as T;
  throw usage(
    JSON.stringify(text),
    "there is no such thing",
    `Give one of ${words.join(", ")}`,
  );
}

/** The error for a command line that is wrong. */
export function usage(what: string, state: string, cure: string): SandboxError {
  return new SandboxError(
    "INVALID_OPTION",
    `Cannot use ${what}: ${state}. ${cure}.`,
  );
}

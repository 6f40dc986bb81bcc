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

const _timesMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A time such as `500ms`, `5s`, `2m` or `1.5` (seconds), in whole ms. */
export function timeMs(text: string, option: string): number {
  const [, amount, unit = "s"] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)?$/
    .exec(text) ?? [];
  if (amount === undefined) {
    throw usage(
      `${option} ${JSON.stringify(text)}`,
      "it is no time",
      "Give one such as 500ms, 5s or 2m",
    );
  }
  return Math.round(Number(amount) * _timesMs[unit as keyof typeof _timesMs]);
}

const _sizesMb = { k: 1 / 1024, m: 1, g: 1024 } as const;

/** An amount of memory such as `512`, `512m` or `2g`, in MiB. */
export function sizeMb(text: string, option: string): number {
  const [, amount, unit = "m"] = /^(\d{1,9}(?:\.\d{1,6})?)(k|m|g)?i?b?$/i
    .exec(text) ?? [];
  if (amount === undefined) {
    throw usage(
      `${option} ${JSON.stringify(text)}`,
      "it is no size",
      "Give one in MiB, or such as 512m or 2g",
    );
  }
  const size = _sizesMb[unit.toLowerCase() as keyof typeof _sizesMb];
  return Number(amount) * size;
}

/** What stands before and after the first `=`. */
export function pair(
  text: string,
  option: string,
  shape: string,
): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw usage(
    `${option} ${JSON.stringify(text)}`,
    `it is not ${shape}`,
    `Give ${shape}`,
  );
}

/** For an option that may be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

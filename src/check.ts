// Small checks instead of a schema library: importing one costs more than
// a whole start is allowed to (bench/README.md has the figures).
import { SandboxError } from "./errors.ts";

/** Returns the value as it is used from here on, or throws INVALID_OPTION. */
export type Check<T> = (value: unknown, name: string) => T;

/** Refuses an option. */
export function invalid(
  name: string,
  state: string,
  cure: string,
): SandboxError {
  return new SandboxError(
    "INVALID_OPTION",
    `Cannot use option ${name}: ${state}. ${cure}`,
  );
}

function _show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 40 ? value.slice(0, 40) + "…" : value);
  }
  if (
    value === null || ["number", "boolean", "undefined"].includes(typeof value)
  ) {
    return String(value);
  }
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A whole number within bounds. */
export function integer(min: number, max: number, unit: string): Check<number> {
  return (value, name) => {
    if (
      Number.isInteger(value) && (value as number) >= min &&
      (value as number) <= max
    ) {
      return value as number;
    }
    const cure = `Give a whole number of ${unit} from ${min} to ${max}`;
    throw invalid(name, `it is ${_show(value)}`, cure + ".");
  };
}

/** A number with fractions. */
export function number(min: number, max: number, unit: string): Check<number> {
  return (value, name) => {
    if (typeof value === "number" && value >= min && value <= max) return value;
    const cure = `Give a number of ${unit} from ${min} to ${max}`;
    throw invalid(name, `it is ${_show(value)}`, cure + ".");
  };
}

/** One of some strings. */
export function oneOf<T extends string>(values: readonly T[]): Check<T> {
  return (value, name) => {
    if (values.includes(value as T)) return value as T;
    throw invalid(
      name,
      `it is ${_show(value)}`,
      `Give one of ${values.join(", ")}.`,
    );
  };
}

/** A string; `fault` may say what is wrong with it. */
export function string(
  fault?: (value: string) => string | undefined,
): Check<string> {
  return (value, name) => {
    if (typeof value !== "string") {
      throw invalid(name, `it is ${_show(value)}`, "Give a string.");
    }
    const state = fault?.(value);
    if (state) throw invalid(name, state, "Give another value.");
    return value;
  };
}

/** A boolean. */
export const boolean: Check<boolean> = (value, name) => {
  if (typeof value === "boolean") return value;
  throw invalid(name, `it is ${_show(value)}`, "Give true or false.");
};

/** A function. */
export function func<T>(): Check<T> {
  return (value, name) => {
    if (typeof value === "function") return value as T;
    throw invalid(name, `it is ${_show(value)}`, "Give a function.");
  };
}

/** An AbortSignal, of any realm. */
export const abortSignal: Check<AbortSignal> = (value, name) => {
  if (
    typeof value === "object" && value !== null && "aborted" in value &&
    typeof (value as AbortSignal).addEventListener === "function"
  ) {
    return value as AbortSignal;
  }
  throw invalid(name, `it is ${_show(value)}`, "Give an AbortSignal.");
};

/** An array whose items pass a check. */
export function list<T>(item: Check<T>, max: number): Check<T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) {
      throw invalid(name, `it is ${_show(value)}`, "Give an array.");
    }
    if (value.length > max) {
      throw invalid(
        name,
        `it has ${value.length} items`,
        `Give ${max} at most.`,
      );
    }
    return value.map((one, index) => item(one, `${name}[${index}]`));
  };
}

/** A plain object whose keys and values pass checks. */
export function record<T>(
  key: Check<string>,
  item: Check<T>,
): Check<Record<string, T>> {
  return (value, name) => {
    const out: Record<string, T> = Object.create(null);
    for (const [name_, one] of Object.entries(_object(value, name))) {
      out[key(name_, `${name} key ${JSON.stringify(name_)}`)] = item(
        one,
        `${name}.${name_}`,
      );
    }
    return out;
  };
}

function _object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid(name, `it is ${_show(value)}`, "Give an object.");
}

/** Accepts anything; for options that another place refuses by name. */
export const anything: Check<unknown> = (value) => value;

/** Bytes or text. */
export const bytesOrText: Check<string | Uint8Array> = (value, name) => {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw invalid(
    name,
    `it is ${_show(value)}`,
    "Give a string or a Uint8Array.",
  );
};

/**
 * An object with known keys only; a key whose value is undefined counts as
 * absent. `elsewhere` names keys that belong to another object, for the hint.
 */
export function object<T>(
  fields: { readonly [K in keyof T]-?: Check<Exclude<T[K], undefined>> },
  elsewhere: Readonly<Record<string, string>> = {},
): Check<T> & { readonly names: readonly string[] } {
  const check: Check<T> = (value, name) => {
    const out: Record<string, unknown> = {};
    for (
      const [key, one] of Object.entries(_object(value, name || "options"))
    ) {
      const path = name ? `${name}.${key}` : key;
      if (!Object.hasOwn(fields, key)) {
        throw invalid(
          JSON.stringify(path),
          "there is no such option",
          _hint(key, Object.keys(fields), name, elsewhere),
        );
      }
      if (one !== undefined) {
        out[key] = (fields as Record<string, Check<unknown>>)[key]!(one, path);
      }
    }
    return out as T;
  };
  return Object.assign(check, { names: Object.keys(fields) });
}

function _hint(
  key: string,
  known: readonly string[],
  name: string,
  elsewhere: Readonly<Record<string, string>>,
): string {
  const moved = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
  if (moved) return `It belongs to ${moved}.`;
  const near = nearest(key, known);
  return near
    ? `The nearest one is ${name ? `${name}.` : ""}${near}.`
    : "Remove it.";
}

/** The known name that takes the fewest edits, ignoring case and underscores. */
export function nearest(
  name: string,
  known: readonly string[],
): string | undefined {
  const plain = (text: string) =>
    text.toLowerCase().replaceAll("_", "").slice(0, 64);
  let best: string | undefined;
  let bestCost = Infinity;
  for (const one of known) {
    const [a, b] = [plain(name), plain(one)];
    // A name that was cut short is nearer than its many missing letters say.
    const cost = a && b.startsWith(a) ? 1 : _edits(a, b);
    if (cost < bestCost) [best, bestCost] = [one, cost];
  }
  return best;
}

function _edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

type Json = Record<string, unknown>;

/** What a receipt says, one line each; parts that it lacks are left out, as receipts can be older than this program. */
export function* explained(receipt: Json): Generator<string> {
  const { backend, lang, imageSha256, policySha256, limitHit } = receipt;
  yield `Ran ${lang} in ${backend}.`;
  if (imageSha256) yield `Guest image: sha256 ${imageSha256}`;
  if (policySha256) yield `Policy: sha256 ${policySha256}`;
  yield* _limits(_object(receipt.limits));
  if (limitHit) yield `Limit reached: ${limitHit}`;
  yield* _rights(_object(receipt.rights));
  yield* _libraries(_list(receipt.libraries));
  yield* _toolCalls(_list(receipt.toolCalls));
  yield* _egress(_list(receipt.egress));
  yield* _violations(_list(receipt.violations));
}

const _object = (value: unknown): Json =>
  typeof value === "object" && value !== null ? value as Json : {};
const _list = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map(_object) : [];

const _words: Readonly<Record<string, (value: unknown) => string>> = {
  timeMs: (ms) => `${ms} ms of time`,
  cpuMs: (ms) => `${ms} ms on the processor`,
  memoryMb: (mib) => `${mib} MiB of memory`,
  cpus: (count) => `${count} processors`,
  outputBytes: (bytes) => `${bytes} bytes of output`,
  workspaceMb: (mib) => `${mib} MiB of files`,
  workspaceFiles: (count) => `${count} files`,
  processes: (count) => `${count} processes`,
  toolCalls: (count) => `${count} calls of tools`,
  toolBytes: (bytes) => `${bytes} bytes a call`,
  toolTimeMs: (ms) => `${ms} ms a call`,
};

function* _limits(limits: Json): Generator<string> {
  const said = Object.entries(_words)
    .filter(([name]) => (limits[name] ?? null) !== null)
    .map(([name, say]) => say(limits[name]));
  if (said.length) yield `Limits: ${said.join(", ")}`;
}

function* _rights(rights: Json): Generator<string> {
  const given = Object.entries(rights).filter(([, value]) =>
    typeof value === "object" && value !== null
      ? Object.keys(value).length > 0
      : value !== false && value !== undefined
  );
  if (given.length === 0) {
    yield "Rights: none; nothing outside could be reached";
  }
  for (const [name, value] of given) {
    yield `Right ${name}: ${
      typeof value === "object" ? JSON.stringify(value) : value
    }`;
  }
}

function* _libraries(libraries: readonly Json[]): Generator<string> {
  if (libraries.length === 0) return;
  const names = libraries.map(({ name, version }) => `${name} ${version}`);
  yield `Libraries: ${names.join(", ")}`;
}

function* _toolCalls(calls: readonly Json[]): Generator<string> {
  const tally = new Map<
    string,
    { calls: number; failed: number; ms: number }
  >();
  for (const { name, ok, ms } of calls) {
    const one = tally.get(String(name)) ?? { calls: 0, failed: 0, ms: 0 };
    one.calls++;
    one.ms += Number(ms) || 0;
    if (ok !== true) one.failed++;
    tally.set(String(name), one);
  }
  for (const [name, { calls, failed, ms }] of tally) {
    const times = calls === 1 ? "once" : `${calls} times`;
    const faults = failed ? `, ${failed} without success` : "";
    yield `Tool ${name}: called ${times}, ${ms.toFixed(1)} ms${faults}`;
  }
}

function* _egress(requests: readonly Json[]): Generator<string> {
  for (
    const {
      method,
      url,
      status,
      refused,
      address,
      ms,
      sentBytes,
      receivedBytes,
    } of requests
  ) {
    const end = refused === undefined
      ? `${status} from ${address}, ${sentBytes} bytes sent, ${receivedBytes} received, ${
        Number(ms).toFixed(1)
      } ms`
      : `REFUSED: ${refused}`;
    yield `Request ${method} ${url}: ${end}`;
  }
}

function* _violations(violations: readonly Json[]): Generator<string> {
  for (const { rule, severity, line, message } of violations) {
    const at = line === undefined ? "" : ` in line ${line}`;
    yield `Policy finding ${rule} (${severity})${at}: ${message}`;
  }
}

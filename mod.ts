/**
 * Runs code that nobody trusts, behind a wall, and hands back what it printed,
 * made and returned.
 *
 * @example
 * ```ts
 * import { createSession } from "@mote/sandbox";
 *
 * const session = await createSession({ lang: "python" });
 * const result = await session.run("print(6 * 7)");
 * console.log(result.stdout, result.exitCode);
 * await session.close();
 * ```
 *
 * @module
 */
export { createSession, probe } from "./src/session.ts";
export type { ChosenBackend, Session } from "./src/session.ts";
export { createPool } from "./src/pool/create.ts";
export type { Pool } from "./src/pool/create.ts";
export type {
  AcquireOptions,
  PoolLimits,
  PoolOptions,
} from "./src/pool/options.ts";
export type { PoolStats, PoolWaits } from "./src/pool/stats.ts";
export type { RunStream } from "./src/stream.ts";
export type { Code } from "./src/program.ts";
export { SandboxError } from "./src/errors.ts";
export type {
  SandboxErrorCode,
  SandboxErrorDetails,
  Violation,
} from "./src/errors.ts";
export type {
  Artifact,
  EgressEntry,
  FileEntry,
  InstalledLibrary,
  LimitName,
  OutputChunk,
  Progress,
  Receipt,
  RunResult,
  Timings,
  ToolCall,
} from "./src/result.ts";
export type {
  BackendChoice,
  BackendName,
  BackendOptions,
  CallOptions,
  CommonOptions,
  ContainerOptions,
  HyperlightOptions,
  KubernetesOptions,
  Language,
  Limits,
  ListOptions,
  NetRule,
  ResolvedLimits,
  Rights,
  RunOptions,
  Secret,
  SessionOptions,
} from "./src/options.ts";
export type {
  BackendStatus,
  Capabilities,
  CapabilitiesOf,
  WasmCapabilities,
} from "./src/backends/backend.ts";
export { tool } from "./src/tools.ts";
export type {
  Schema,
  SchemaIssue,
  SchemaResult,
  Tool,
  ToolContext,
  ToolDefinition,
} from "./src/tools.ts";

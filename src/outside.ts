import type { Capabilities } from "./backends/backend.ts";
import { invalid } from "./check.ts";
import type { Host } from "./host.ts";
import type { ParsedOptions } from "./options.ts";
import { netRules, type Rights } from "./rights.ts";
import type { SessionEgress } from "./run.ts";
import type { Tool } from "./tools.ts";

/** What a session's guest has of the outside. */
export interface Outside {
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Tools that it may call. */
  readonly tools: Readonly<Record<string, Tool>>;
  /** Names of everything that it may call. */
  readonly calls: readonly string[];
  /** Sends its requests; undefined when it may reach nothing. */
  readonly egress?: SessionEgress | undefined;
  /** Its rights, for the receipt; undefined when it has none. */
  readonly rights?: Rights | undefined;
}

/** Works out what a session's guest has of the outside; nothing but what was given by name. */
export async function outsideOf(
  options: ParsedOptions,
  can: Capabilities,
  host: Host,
): Promise<Outside> {
  const { rights } = options;
  const tools = _tools(options);
  const env = { ..._hostEnv(rights, host), ...options.env };
  const egress = can.http.includes(options.lang)
    ? await _egress(options)
    : undefined;
  for (const name of Object.keys(egress?.environment ?? {})) {
    if (!Object.hasOwn(env, name)) continue;
    const cure = "Name one of them otherwise.";
    throw invalid(`secrets.${name}`, "env has that variable too", cure);
  }
  return {
    env: { ...env, ...egress?.environment },
    tools,
    calls: [...Object.keys(tools), ...(egress ? [egress.name] : [])],
    egress,
    rights: rights && Object.keys(rights).length ? rights : undefined,
  };
}

function _tools({ tools = {}, rights }: ParsedOptions): Record<string, Tool> {
  if (!rights?.tools) return tools;
  const allowed: Record<string, Tool> = {};
  for (const name of rights.tools) {
    const one = Object.hasOwn(tools, name) ? tools[name] : undefined;
    if (one) allowed[name] = one;
    else {throw invalid(
        "rights.tools",
        `there is no tool ${name}`,
        "Add it to tools.",
      );}
  }
  return allowed;
}

function _hostEnv(
  rights: Rights | undefined,
  host: Host,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of rights?.env ?? []) {
    const value = host.env(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function _egress(
  { rights, secrets, limits }: ParsedOptions,
): Promise<
  (SessionEgress & { environment: Record<string, string> }) | undefined
> {
  const rules = netRules(rights);
  if (rules.length === 0) {
    if (Object.keys(secrets ?? {}).length === 0) return undefined;
    const cure = "Name its hosts in rights.net.";
    throw invalid("secrets", "the guest can reach no host", cure);
  }
  const [{ Egress }, { answerEgress, egressCall }] = await Promise.all([
    import("./egress/egress.ts"),
    import("./egress/call.ts"),
  ]);
  const egress = new Egress(rules, secrets ?? {}, limits.toolBytes);
  return {
    name: egressCall,
    environment: egress.secrets.environment,
    answer: (input, runEnded, log) =>
      answerEgress(egress, input, limits.toolTimeMs, runEnded, log),
  };
}

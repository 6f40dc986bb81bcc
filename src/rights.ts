import {
  boolean,
  type Check,
  integer,
  invalid,
  list,
  object,
  record,
  string,
} from "./check.ts";
import { timeMs } from "./limits.ts";

/** A host of the network with what may be asked of it. */
export interface NetRule {
  /** The host, as a plain right names it: "api.example.com:443". */
  host: string;
  /** HTTP methods, such as ["GET"]. @default any; 20 at most */
  methods?: readonly string[];
  /** Beginning of the path: "/v1" is itself and what is below it, "/v1/" what is below it. @default any */
  path?: string;
}

/** A secret that the guest can use and never see. */
export interface Secret {
  /** Hosts that it may be sent to, in headers and over TLS, named as in `rights.net`; 1 to 100 */
  hosts: readonly string[];
  /** The secret; 4 to 65_536 characters. */
  value: string;
}

/** What the guest may reach outside; nothing unless said. */
export interface Rights {
  /**
   * Network hosts, such as "example.com", "*.example.com", "example.com:443" or "192.0.2.1:80"; without a port any.
   * The guest sends HTTP requests through the host (`http` in Python, `fetch` in JavaScript), which looks at every one;
   * the linux guest has sockets to the plainly named ones as well. Private and link-local addresses, the host's own and
   * those of clouds' metadata are refused unless the address itself is named; the linux guest's sockets refuse the last
   * three always. `true`, in containers only, is the engine's own network without any filter. @default false; 1_000
   * hosts at most
   */
  net?: boolean | readonly (string | NetRule)[];
  /** Variables of the host's environment that the guest gets, by name, such as ["LANG"]. @default []; 256 at most */
  env?: readonly string[];
  /** Which of the session's tools code may call. @default all of them; 256 at most */
  tools?: readonly string[];
  /** Same as `limits.timeMs`. @default 30_000; 1 to 3_600_000 */
  time?: number;
  /** Same as `limits.memoryMb`. @default 256, in containers 1_024; 1 to 4_096, in containers 65_536 */
  memory?: number;
  /** Folders of the host that the guest may read, by where it has them, such as { "/mnt/data": "/srv/tables" }. @default {}; 16 at most */
  read?: Readonly<Record<string, string>>;
  /** Folders of the host that the guest may change, in the same form; containers only. @default {}; 16 at most */
  write?: Readonly<Record<string, string>>;
  /** Code runs as root of its container. @default false */
  root?: boolean;
  /** The image's own folders can be written to; containers only. @default false */
  writableRoot?: boolean;
  /** Linux capabilities that code keeps, such as ["NET_BIND_SERVICE"]; containers only. @default []; 41 at most */
  capabilities?: readonly string[];
  /** Programs may gain privileges by setuid; containers only. @default false */
  newPrivileges?: boolean;
}

/** Hosts that are named with nothing but a port: a socket can hold to no more. */
export function plainHosts(rights: Rights | undefined): readonly string[] {
  return netRules(rights).filter((rule) => typeof rule === "string");
}

/** Hosts that are named, with what may be asked of them. */
export function netRules(
  rights: Rights | undefined,
): readonly (string | NetRule)[] {
  const net = rights?.net;
  return net === undefined || typeof net === "boolean" ? [] : net;
}

/** Text without NUL. */
export const text: Check<string> = string((value) =>
  value.includes("\0") ? "it has a NUL character" : undefined
);

/** Name of a variable of an environment. */
export const envName: Check<string> = string((value) =>
  value === "" || /[=\0]/.test(value)
    ? "it is empty or has = or NUL in it"
    : undefined
);

/** Name of a tool. */
export const toolName: Check<string> = string((value) => {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(value)) {
    return "it is not a letter followed by at most 63 letters, digits and _";
  }
  return ["ToolError", "ToolInputError", "then"].includes(value)
    ? "it is reserved"
    : undefined;
});

const _guestFolder = string((value) =>
  /^\/mnt\/(?!\.\.?$)[A-Za-z0-9._-]+$/.test(value)
    ? undefined
    : 'it is no place right below /mnt, such as "/mnt/data"'
);

const _host = string((value) =>
  /^(\*\.)?(\[[0-9A-Fa-f:.]+\]|[^\s:[\]/@?#*%]+)(:\d{1,5})?$/.test(value) &&
    _port(value)
    ? undefined
    : 'it is no host, such as "example.com", "*.example.com", "example.com:443" or "[2001:db8::1]:80"'
);

function _port(host: string): boolean {
  const digits = /:(\d{1,5})$/.exec(host)?.[1];
  return host.endsWith("]") || digits === undefined ||
    (Number(digits) >= 1 && Number(digits) <= 65_535);
}

const _method = string((value) =>
  /^[A-Za-z]{1,20}$/.test(value) && !/^(connect|trace)$/i.test(value)
    ? undefined
    : "it is no method that a guest may have"
);

const _path = string((value) =>
  value.startsWith("/") && !/[?#\\\s]/.test(value)
    ? undefined
    : 'it is no beginning of a path, such as "/v1"'
);

const _netRule = object<NetRule>({
  host: _host,
  methods: list(_method, 20),
  path: _path,
});

const _rule: Check<string | NetRule> = (value, name) => {
  if (typeof value === "string") return _host(value, name);
  const rule = _netRule(value, name);
  if (rule.host !== undefined) return rule as NetRule;
  throw invalid(name, "it has no host", "Give host.");
};

const _net: Check<boolean | readonly (string | NetRule)[]> = (value, name) =>
  typeof value === "boolean" ? value : list(_rule, 1_000)(value, name);

const _secretFields = object<Secret>({
  hosts: list(_host, 100),
  value: string((value) =>
    value.length >= 4 && value.length <= 65_536 && !/[\0\r\n]/.test(value)
      ? undefined
      : "it is no single line of 4 to 65536 characters"
  ),
});

/** Checks a secret; no message holds its value. */
export const secret: Check<Secret> = (value, name) => {
  const { hosts, value: secret } = _secretFields(value, name);
  if (hosts?.length && secret !== undefined) return { hosts, value: secret };
  throw invalid(name, "it has no value or no hosts", "Give both.");
};

const _capability = string((value) =>
  /^[A-Z][A-Z_]{1,40}$/.test(value) && !value.startsWith("CAP_")
    ? undefined
    : 'it is no capability without CAP_, such as "NET_BIND_SERVICE"'
);

/** Checks rights as they are given. */
export const rights: Check<Rights> = object<Rights>({
  net: _net,
  env: list(envName, 256),
  tools: list(toolName, 256),
  time: timeMs,
  memory: integer(1, 65_536, "MiB"),
  read: record(_guestFolder, text),
  write: record(_guestFolder, text),
  root: boolean,
  writableRoot: boolean,
  capabilities: list(_capability, 41),
  newPrivileges: boolean,
});

import {
  anything,
  boolean,
  type Check,
  integer,
  invalid,
  list,
  object,
  oneOf,
  string,
} from "../../../check.ts";
import type { BoxRights } from "../box.ts";

/** A value that a manifest may repeat but not change. */
export function only<T>(
  allowed: T,
  why: string,
  right?: string,
): Check<T> {
  return (value, name) => {
    if (value === allowed) return allowed;
    const cure = right === undefined
      ? "No right opens it; leave it out."
      : `Give ${right}, or leave it out.`;
    throw invalid(name, why, cure);
  };
}

/** A field that stays Mote's. */
export function refused(
  why: string,
  cure = "No right opens it; leave it out.",
): Check<never> {
  return (_, name) => {
    throw invalid(name, why, cure);
  };
}

/** What a security context may say; what it does not say is filled in by {@linkcode Security}. */
export interface SecurityFields {
  /** The user. */
  runAsUser?: number;
  /** The user's group. */
  runAsGroup?: number;
  [field: string]: unknown;
}

const _profile = (what: string): Check<unknown> =>
  object<{ type: string; localhostProfile: string }>({
    type: (value, name) => {
      if (value !== "Unconfined") {
        return oneOf(["RuntimeDefault", "Localhost"])(value, name);
      }
      throw invalid(
        name,
        `without ${what} more of the kernel can be reached`,
        "No right opens it; leave it out.",
      );
    },
    localhostProfile: string(),
  });

function _id(rights: BoxRights): Check<number> {
  const id = integer(0, 2_147_483_646, "an id");
  return (value, name) => {
    if (id(value, name) !== 0 || rights.root) return value as number;
    throw invalid(name, "it is root's", "Give rights.root, or another number.");
  };
}

function _shared(rights: BoxRights) {
  const id = _id(rights);
  return {
    runAsUser: id,
    runAsGroup: id,
    runAsNonRoot: rights.root
      ? boolean
      : only(true, "code could run as root", "rights.root"),
    seccompProfile: _profile("a seccomp profile"),
    appArmorProfile: _profile("an AppArmor profile"),
    seLinuxOptions: object<{ level: string }>({ level: string() }),
    windowsOptions: refused("pods of Mote are for Linux"),
  };
}

/** Checks a pod's security context. */
export function podSecurity(rights: BoxRights): Check<SecurityFields> {
  const id = _id(rights);
  return object<SecurityFields>({
    ..._shared(rights),
    fsGroup: id,
    fsGroupChangePolicy: string(),
    supplementalGroups: list(id, 100),
    supplementalGroupsPolicy: string(),
    seLinuxChangePolicy: string(),
    sysctls: refused("it changes the kernel's settings"),
  } as never);
}

/** Checks a container's security context. */
export function containerSecurity(rights: BoxRights): Check<SecurityFields> {
  const capability: Check<string> = (value, name) => {
    const plain = string()(value, name).replace(/^CAP_/, "");
    if (rights.capabilities.includes(plain)) return plain;
    throw invalid(
      name,
      `capability ${plain} was not given as a right`,
      "Name it in rights.capabilities, or leave it out.",
    );
  };
  return object<SecurityFields>({
    ..._shared(rights),
    privileged: only(false, "a privileged container has no wall"),
    allowPrivilegeEscalation: rights.newPrivileges
      ? boolean
      : only(false, "programs could gain privileges", "rights.newPrivileges"),
    readOnlyRootFilesystem: rights.writableRoot ? boolean : only(
      true,
      "the image's folders could be written to",
      "rights.writableRoot",
    ),
    capabilities: object<{ add: string[]; drop: unknown }>({
      add: list(capability, 41),
      drop: anything,
    }),
    procMount: only("Default", "it shows more of /proc"),
  } as never);
}

/** The user that a pod's code runs as; one of its own, as the kernel counts processes by user. */
export function userOf(rights: BoxRights, hostUsers: boolean): number {
  if (rights.root) return 0;
  const [word] = crypto.getRandomValues(new Uint32Array(1));
  // In a user namespace of its own a pod has no more than 65536 ids.
  return hostUsers
    ? 1_000_000 + word! % 1_000_000_000
    : 10_000 + word! % 50_000;
}

/** A container's security context: what is not said gets the safe value. */
export function hardened(
  fields: SecurityFields | undefined,
  rights: BoxRights,
): Record<string, unknown> {
  const { capabilities, ...said } = fields ?? {};
  return {
    allowPrivilegeEscalation: rights.newPrivileges,
    readOnlyRootFilesystem: !rights.writableRoot,
    privileged: false,
    ...said,
    capabilities: {
      drop: ["ALL"],
      ...(rights.capabilities.length > 0 && { add: rights.capabilities }),
      ...(capabilities as { add?: string[] } | undefined)?.add?.length
        ? { add: (capabilities as { add: string[] }).add }
        : undefined,
    },
  };
}

import type { GuestImage, GuestSpec } from "../backends/backend.ts";
import type { Host } from "../host.ts";
import { wantsLinux } from "../linux_guest.ts";
import type { ParsedOptions } from "../options.ts";
import { findGuest } from "./find.ts";
import { linuxGuest } from "./linux.ts";

/** What a session's wall is opened with. */
export interface ChosenGuest {
  /** The image of the language; null where the code itself is the guest. */
  readonly image: GuestImage | null;
  /** What a micro-VM boots. */
  readonly guest?: GuestSpec;
}

/** Finds the guest of a session. `name`: the image of its language, if that has one; `site`: libraries it opens with. */
export function chooseGuest(
  needs: "none" | "images" | "machines",
  name: string | null,
  options: ParsedOptions,
  host: Host,
  site?: GuestImage,
): ChosenGuest {
  if (needs === "none") return { image: null };
  if (needs === "machines" && (site || wantsLinux(options))) {
    return { image: null, guest: linuxGuest(options, host, site) };
  }
  const image = name === null ? null : findGuest(name, host);
  if (needs === "images") return { image };
  return { image, guest: { kind: "micro", elf: findGuest("micro", host) } };
}

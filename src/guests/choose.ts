import type { GuestImage, GuestSpec } from "../backends/backend.ts";
import type { Host } from "../host.ts";
import { findGuest } from "./find.ts";

/** What a session's wall is opened with. */
export interface ChosenGuest {
  /** The image of the language; null where the code itself is the guest. */
  readonly image: GuestImage | null;
  /** What a micro-VM boots. */
  readonly guest?: GuestSpec;
}

/** Finds the guest of a session that asked for no other. `name`: the image of its language, if that has one. */
export function chooseGuest(
  needs: "none" | "images" | "machines",
  name: string | null,
  host: Host,
): ChosenGuest {
  if (needs === "none") return { image: null };
  const image = name === null ? null : findGuest(name, host);
  if (needs === "images") return { image };
  return { image, guest: { kind: "micro", elf: findGuest("micro", host) } };
}

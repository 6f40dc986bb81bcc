import type { AddCommand } from "./command.ts";
import { addGuestBuild } from "./guest_build.ts";
import { addGuestList } from "./guest_list.ts";
import { addGuestPrune } from "./guest_prune.ts";
import { addGuestVerify } from "./guest_verify.ts";

/** `mote guest` */
export const addGuest: AddCommand = (parent, choose) => {
  const guest = parent.command("guest")
    .summary("build, list, verify and prune guests")
    .description("Works with guests: the programs that run inside the wall.")
    .helpCommand(false);
  for (
    const add of [addGuestBuild, addGuestList, addGuestVerify, addGuestPrune]
  ) {
    add(guest, choose);
  }
};

/** How each attack of guests/hostile-elf has to end. */

/** How one has to end. */
export interface End {
  /** `ok`, or the code of the error. */
  readonly ends: string | readonly string[];
  /** What it prints. */
  readonly stdout?: string;
  /** What the message says. */
  readonly says?: RegExp;
}

const crash = { ends: "GUEST_CRASHED" } as const;
const late = { ends: "TIMED_OUT" } as const;
const memory = { ends: "MEMORY_EXCEEDED" } as const;

/** By name. */
export const attacks: Readonly<Record<string, End>> = {
  healthy: { ends: "ok", stdout: "healthy\n" },
  endless_loop: late,
  endless_halt: { ends: ["TIMED_OUT", "GUEST_CRASHED"] },
  triple_fault: crash,
  illegal_instruction: { ends: "GUEST_CRASHED", says: /InvalidOpcode/ },
  privileged_register: crash,
  port_unknown: crash,
  port_debug: { ends: "ok" },
  port_halt: crash,
  port_abort_endless: crash,
  divide_by_zero: { ends: "GUEST_CRASHED", says: /Divi/ },
  panic: { ends: "GUEST_CRASHED", says: /on purpose/ },
  unmapped_read: { ends: "GUEST_CRASHED", says: /PageFault/ },
  unmapped_write: { ends: "GUEST_CRASHED", says: /PageFault/ },
  unmapped_physical: crash,
  // Its own code is the guest's to ruin; the next run has it back.
  code_overwritten: { ends: ["ok", "GUEST_CRASHED"] },
  page_tables_cleared: { ends: ["TIMED_OUT", "GUEST_CRASHED"] },
  stack_overflow: memory,
  heap_at_once: memory,
  heap_endless: memory,
  pages_endless: memory,
  calls_flood: late,
  calls_unknown: { ends: "ok", stdout: "refused\n" },
  calls_wrong_types: { ends: "ok", stdout: "refused\n" },
  calls_wrong_numbers: { ends: "ok", stdout: "survived\n" },
  output_flood: { ends: "OUTPUT_EXCEEDED" },
  tools_flood: late,
  tools_arguments_endless: late,
  buffer_corrupted: crash,
  buffer_corrupted_flood: { ends: ["TIMED_OUT", "GUEST_CRASHED"] },
  notify_flood: late,
  buffer_corrupted_at_return: crash,
};

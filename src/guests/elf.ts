import { SandboxError } from "../errors.ts";

/** The version of Hyperlight in the native library; a guest has to be built with the same. */
export const hostHyperlight = "0.18.0";

/** The newest interface of `mote-guest` that the native library speaks. */
export const hostAbi = 1;

/** What a guest's file says of itself. */
export interface ElfFacts {
  /** The version of hyperlight-guest-bin that it was built with. */
  readonly hyperlight: string;
  /** The version of its interface to Mote; absent without `mote-guest`. */
  readonly abi?: number;
  /** The heap that it asks for, in KiB; absent without `mote-guest`. */
  readonly heapKib?: number;
}

const _noteSegment = 4;
const _mostNoteBytes = 65_536;

/** Reads the notes of a guest ELF; throws GUEST_INVALID for what is none, or one that this host cannot run. */
export function readElf(bytes: Uint8Array, name: string): ElfFacts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let notes: Map<string, Uint8Array>;
  try {
    _checkHeader(view, name);
    notes = _notes(view, bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidElf(name, "it is cut off or damaged", "Build it again");
  }
  const version = notes.get("Hyperlight");
  if (!version) {
    throw invalidElf(
      name,
      "it says no version of hyperlight-guest-bin, so it is no Hyperlight guest of 0.15 or later",
      `Build it with hyperlight-guest-bin ${hostHyperlight}, as guests/template does`,
    );
  }
  const hyperlight = new TextDecoder().decode(version).replace(/\0.*$/s, "");
  if (hyperlight !== hostHyperlight) {
    throw invalidElf(
      name,
      `it was built with hyperlight-guest-bin ${hyperlight} and the host runs hyperlight ${hostHyperlight}; they have to be the same`,
      `Build it with hyperlight-guest-bin =${hostHyperlight}`,
    );
  }
  const own = notes.get("Mote");
  if (!own || own.length < 8) return { hyperlight };
  const words = new DataView(own.buffer, own.byteOffset, own.byteLength);
  const [abi, heapKib] = [words.getUint32(0, true), words.getUint32(4, true)];
  if (abi > hostAbi) {
    throw invalidElf(
      name,
      `it was built for version ${abi} of mote-guest's interface and the host speaks ${hostAbi}`,
      "Update Mote, or build the guest with the mote-guest of this version",
    );
  }
  return { hyperlight, abi, heapKib };
}

/** The error for a file that cannot be run as a guest. */
export function invalidElf(
  name: string,
  state: string,
  cure: string,
): SandboxError {
  return new SandboxError(
    "GUEST_INVALID",
    `Cannot use guest ${name}: ${state}. ${cure}.`,
  );
}

function _checkHeader(view: DataView, name: string): void {
  const cure = "Give a guest that was built for x86_64-hyperlight-none";
  if (view.byteLength < 4 || view.getUint32(0) !== 0x7f454c46) {
    throw invalidElf(name, "it is no ELF file", cure);
  }
  const [bits, order] = [view.getUint8(4), view.getUint8(5)];
  const machine = view.getUint16(18, true);
  if (bits !== 2 || order !== 1 || machine !== 62) {
    throw invalidElf(name, "it is no ELF file for x86_64", cure);
  }
}

/** Values of the notes by the name of their owner; the first of a name counts. */
function _notes(view: DataView, bytes: Uint8Array): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const table = Number(view.getBigUint64(32, true));
  const [size, count] = [view.getUint16(54, true), view.getUint16(56, true)];
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (view.getUint32(at, true) !== _noteSegment) continue;
    const start = Number(view.getBigUint64(at + 8, true));
    const length = Number(view.getBigUint64(at + 32, true));
    const align = view.getBigUint64(at + 48, true) === 8n ? 8 : 4;
    if (length > _mostNoteBytes || start + length > bytes.length) {
      throw new RangeError("a note segment leaves the file");
    }
    _readNotes(bytes.subarray(start, start + length), align, found);
  }
  return found;
}

function _readNotes(
  segment: Uint8Array,
  align: number,
  found: Map<string, Uint8Array>,
): void {
  const view = new DataView(
    segment.buffer,
    segment.byteOffset,
    segment.byteLength,
  );
  const aligned = (offset: number) => Math.ceil(offset / align) * align;
  for (let at = 0; at + 12 <= segment.length;) {
    const [nameBytes, valueBytes] = [
      view.getUint32(at, true),
      view.getUint32(at + 4, true),
    ];
    const value = aligned(at + 12 + nameBytes);
    if (value + valueBytes > segment.length) {
      throw new RangeError("a note leaves its segment");
    }
    const name = String.fromCharCode(
      ...segment.subarray(at + 12, at + 12 + nameBytes),
    ).replace(/\0.*$/s, "");
    if (!found.has(name)) {
      found.set(name, segment.subarray(value, value + valueBytes));
    }
    at = aligned(value + valueBytes);
  }
}

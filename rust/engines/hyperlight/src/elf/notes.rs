//! What a guest's file says of itself before it is loaded.

use goblin::elf::Elf;
use mote_core::error::{Code, Error, Result};

/// The newest interface of `mote-guest` that is spoken here.
const ABI: u32 = 1;
/// The heap of a guest that asks for none.
const HEAP_KIB: u32 = 1_024;
const MOST_HEAP_KIB: u32 = 2 << 20;

/// From `entry!` of `mote-guest`; the defaults where a guest does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notes {
    pub heap_bytes: u64,
}

pub fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestInvalid, format!("Cannot use guest: {why}"))
}

/// Reads the notes; a file that is no guest for this host is refused.
pub fn read(file: &[u8]) -> Result<Notes> {
    let elf = Elf::parse(file).map_err(|error| invalid(format!("it is no whole ELF file ({error})")))?;
    if elf.header.e_machine != goblin::elf::header::EM_X86_64 || !elf.is_64 {
        return Err(invalid("it is no ELF file for x86_64. Build it for x86_64-hyperlight-none"));
    }
    let mut notes = elf.iter_note_headers(file).into_iter().flatten().filter_map(|note| note.ok());
    let words = notes.find(|note| note.name.trim_end_matches('\0') == "Mote").and_then(|note| words(note.desc));
    let (abi, heap_kib) = words.unwrap_or((ABI, HEAP_KIB));
    if abi > ABI {
        return Err(invalid(format!(
            "it was built for version {abi} of mote-guest's interface and this host speaks {ABI}. \
             Update Mote, or build the guest with the mote-guest of this version"
        )));
    }
    if !(1..=MOST_HEAP_KIB).contains(&heap_kib) {
        return Err(invalid(format!("it asks for a heap of {heap_kib} KiB. Ask for 1 to {MOST_HEAP_KIB}")));
    }
    Ok(Notes { heap_bytes: u64::from(heap_kib) << 10 })
}

fn words(value: &[u8]) -> Option<(u32, u32)> {
    let (abi, rest) = value.split_first_chunk()?;
    let (heap_kib, _) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*abi), u32::from_le_bytes(*heap_kib)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header and one note segment, no more than is read here.
    fn elf(machine: u16, note: &[u8]) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(3u16.to_le_bytes());
        file.extend(machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(0u64.to_le_bytes());
        file.extend(64u64.to_le_bytes());
        file.extend(0u64.to_le_bytes());
        file.extend(0u32.to_le_bytes());
        for half in [64u16, 56, 1, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        file.extend(4u32.to_le_bytes());
        file.extend(4u32.to_le_bytes());
        for word in [120, 120, 120, note.len() as u64, note.len() as u64, 4] {
            file.extend(word.to_le_bytes());
        }
        file.extend(note);
        file
    }

    fn note(abi: u32, heap_kib: u32) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [5, 8, 1u32] {
            note.extend(word.to_le_bytes());
        }
        note.extend(b"Mote\0\0\0\0");
        note.extend(abi.to_le_bytes());
        note.extend(heap_kib.to_le_bytes());
        note
    }

    #[test]
    fn the_heap_is_what_the_note_says() {
        assert_eq!(read(&elf(62, &note(1, 64))).unwrap().heap_bytes, 64 << 10);
        assert_eq!(read(&elf(62, &[])).unwrap().heap_bytes, 1 << 20);
    }

    #[test]
    fn what_this_host_cannot_run_is_refused() {
        for file in [
            elf(62, &note(2, 64)),
            elf(62, &note(1, 0)),
            elf(62, &note(1, u32::MAX)),
            elf(183, &note(1, 64)),
            b"\x7fELF".to_vec(),
            b"#!/bin/sh\n".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(read(&file).unwrap_err().code, Code::GuestInvalid);
        }
    }
}

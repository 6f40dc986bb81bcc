//! What a run sends to the driver; see guests/linux/src/request.h.

/// The first run since the snapshot.
pub const FRESH: u32 = 1;
/// The interpreter's state is kept.
pub const INTERACTIVE: u32 = 2;
/// The code is names of modules to import.
pub const PRELOAD: u32 = 4;

/// Above this a request is fetched by the guest: a call carries 1 MiB, and a byte above 0x7f takes two of it.
const MOST_INLINE_BYTES: usize = 256 << 10;

pub struct Request<'a> {
    pub flags: u32,
    pub memory_bytes: u64,
    pub arguments: &'a [String],
    pub environment: &'a [String],
    pub code: &'a [u8],
}

impl Request<'_> {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.code.len() + 256);
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.memory_bytes.to_le_bytes());
        for list in [self.arguments, self.environment] {
            bytes.extend((list.len() as u32).to_le_bytes());
            list.iter().for_each(|text| string(&mut bytes, text.as_bytes()));
        }
        string(&mut bytes, self.code);
        bytes
    }
}

fn string(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text);
}

/// The text of a call that carries these bytes, every one a character; empty when they are too many for one.
pub fn inline(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=MOST_INLINE_BYTES => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::new(),
    }
}

/// What the driver says of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    pub exit_code: u32,
    pub tool_failed: bool,
    pub out_of_memory: bool,
    pub out_of_space: bool,
    /// An allocation was refused; the code may have coped with it.
    pub memory_refused: bool,
    /// What the guest holds, in bytes.
    pub memory_used: u64,
}

impl Reply {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let outcome = u32::from_le_bytes(*bytes.first_chunk()?);
        let memory_used = u64::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
        Some(Self {
            exit_code: outcome & 0xff,
            tool_failed: outcome & 0x100 != 0,
            out_of_memory: outcome & 0x200 != 0,
            out_of_space: outcome & 0x400 != 0,
            memory_refused: outcome & 0x10000 != 0,
            memory_used,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character() {
        let all: Vec<u8> = (0..=255).collect();
        let back: Vec<u8> = inline(&all).chars().map(|c| c as u8).collect();
        assert_eq!(back, all);
        assert_eq!(inline(&[0; MOST_INLINE_BYTES + 1]), "");
    }

    #[test]
    fn a_reply_is_flags_and_memory() {
        let mut bytes = vec![3, 2, 1, 0];
        bytes.extend(77u64.to_le_bytes());
        let reply = Reply::read(&bytes).unwrap();
        assert_eq!((reply.exit_code, reply.out_of_memory, reply.memory_refused), (3, true, true));
        assert_eq!((reply.tool_failed, reply.memory_used), (false, 77));
        assert_eq!(Reply::read(&bytes[..9]), None);
    }
}

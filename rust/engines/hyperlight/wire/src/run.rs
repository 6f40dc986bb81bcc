//! One run: what it begins with, and what is left of it.

use crate::bytes::{Malformed, Reader, Writer};
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The guest's randomness from here on.
    pub seed: [u8; 32],
    /// Of the wall clock, in ns since 1970.
    pub now_ns: u64,
    /// Of the time-stamp counter; 0 where it does not tell the time.
    pub tsc_hz: u64,
    /// How long from the beginning of the run it does.
    pub tsc_ns: u64,
    /// How long the session's instance has lived.
    pub alive_ns: u64,
    /// The interpreter begins anew, and keeps its state for a later run.
    pub first: bool,
    pub interactive: bool,
    pub memory_bytes: u64,
    pub workspace_bytes: u64,
    pub workspace_files: u64,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub code_bytes: u64,
    pub stdin_bytes: u64,
    /// Patches to apply first, 0 for none.
    pub workspace_patch_bytes: u64,
    pub library_patch_bytes: u64,
    /// All of the code, if it fits beside the rest.
    pub code: Option<Vec<u8>>,
}

fn strings<'a>(out: &mut Writer, strings: impl ExactSizeIterator<Item = &'a str>) {
    out.u32(strings.len() as u32);
    strings.for_each(|string| {
        out.bytes(string.as_bytes());
    });
}

fn read_strings(from: &mut Reader<'_>) -> Result<Vec<String>, Malformed> {
    let count = from.u32()?;
    (0..count).map(|_| from.text()).collect()
}

impl Run {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&self.seed).u64(self.now_ns).u64(self.tsc_hz).u64(self.tsc_ns).u64(self.alive_ns);
        out.u8(u8::from(self.first)).u8(u8::from(self.interactive));
        out.u64(self.memory_bytes).u64(self.workspace_bytes).u64(self.workspace_files);
        out.u64(self.code_bytes).u64(self.stdin_bytes);
        out.u64(self.workspace_patch_bytes).u64(self.library_patch_bytes);
        strings(&mut out, self.args.iter().map(String::as_str));
        strings(&mut out, self.env.iter().map(|(name, _)| name.as_str()));
        strings(&mut out, self.env.iter().map(|(_, value)| value.as_str()));
        out.u8(u8::from(self.code.is_some())).bytes(self.code.as_deref().unwrap_or_default());
        out.0
    }

    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(message);
        let mut run = Self {
            seed: from.array()?,
            now_ns: from.u64()?,
            tsc_hz: from.u64()?,
            tsc_ns: from.u64()?,
            alive_ns: from.u64()?,
            first: from.u8()? != 0,
            interactive: from.u8()? != 0,
            memory_bytes: from.u64()?,
            workspace_bytes: from.u64()?,
            workspace_files: from.u64()?,
            code_bytes: from.u64()?,
            stdin_bytes: from.u64()?,
            workspace_patch_bytes: from.u64()?,
            library_patch_bytes: from.u64()?,
            args: read_strings(&mut from)?,
            ..Self::default()
        };
        let names = read_strings(&mut from)?;
        let values = read_strings(&mut from)?;
        run.env = names.into_iter().zip(values).collect();
        let inline = from.u8()? != 0;
        let code = from.bytes()?;
        run.code = inline.then(|| code.to_vec());
        Ok(run)
    }
}

/// How guest code ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `mote_run` returned this, or a command returned from `_start`.
    Returned(u32),
    /// It called `proc_exit`.
    Exited(u32),
    /// The host has asked for the end.
    Stopped,
    Trapped(String),
    /// The message or the image could not be used.
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub ending: Ending,
    /// The memory limit has refused the guest something.
    pub memory_refused: bool,
    /// The same for the workspace.
    pub space_refused: bool,
    /// The change of the workspace, unless it was pushed.
    pub patch: Vec<u8>,
    /// Files that the run made or wrote, a few of them.
    pub changed: Vec<String>,
    pub changed_more: bool,
}

impl Reply {
    pub fn new(ending: Ending) -> Self {
        Self {
            ending,
            memory_refused: false,
            space_refused: false,
            patch: Vec::new(),
            changed: Vec::new(),
            changed_more: false,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        let (kind, code, text) = match &self.ending {
            Ending::Returned(code) => (0, *code, ""),
            Ending::Exited(code) => (1, *code, ""),
            Ending::Stopped => (2, 0, ""),
            Ending::Trapped(why) => (3, 0, why.as_str()),
            Ending::Refused(why) => (4, 0, why.as_str()),
        };
        out.u8(kind).u32(code).bytes(text.as_bytes());
        out.u8(u8::from(self.memory_refused)).u8(u8::from(self.space_refused));
        out.bytes(&self.patch).u8(u8::from(self.changed_more));
        strings(&mut out, self.changed.iter().map(String::as_str));
        out.0
    }

    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(message);
        let (kind, code, text) = (from.u8()?, from.u32()?, from.text()?);
        let ending = match kind {
            0 => Ending::Returned(code),
            1 => Ending::Exited(code),
            2 => Ending::Stopped,
            3 => Ending::Trapped(text),
            4 => Ending::Refused(text),
            _ => return Err(Malformed),
        };
        Ok(Self {
            ending,
            memory_refused: from.u8()? != 0,
            space_refused: from.u8()? != 0,
            patch: from.bytes()?.to_vec(),
            changed_more: from.u8()? != 0,
            changed: read_strings(&mut from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let run = Run {
            seed: [7; 32],
            tsc_hz: 3,
            first: true,
            args: vec!["a".into(), "".into()],
            env: vec![("B".into(), "c=d".into())],
            code: Some(vec![]),
            ..Run::default()
        };
        assert_eq!(Run::decode(&run.encode()), Ok(run));
        let reply =
            Reply { space_refused: true, changed: vec!["x".into()], ..Reply::new(Ending::Trapped("why".into())) };
        assert_eq!(Reply::decode(&reply.encode()), Ok(reply));
    }

    #[test]
    fn what_is_cut_off_anywhere_is_refused() {
        let whole = Reply::new(Ending::Exited(3)).encode();
        for length in 0..whole.len() {
            assert_eq!(Reply::decode(&whole[..length]), Err(Malformed));
        }
        // A count that promises more than there is costs no memory.
        let mut run = Run::default().encode();
        let at = run.len() - 17;
        run[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Run::decode(&run), Err(Malformed));
    }
}

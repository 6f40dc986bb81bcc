//! What a fresh machine is told about the image it is to run.

use crate::VERSION;
use crate::bytes::{Malformed, Reader, Writer};
use alloc::vec::Vec;

/// What a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A reactor that speaks the guest ABI.
    Interpreter = 0,
    /// A WASI command.
    Command = 1,
}

/// Places are guest-physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub kind: Kind,
    pub module_at: u64,
    pub module_bytes: u64,
    /// The read-only tree; no bytes where there is none.
    pub root_at: u64,
    pub root_bytes: u64,
    /// Of the linear memory while the image is warmed.
    pub memory_bytes: u64,
    /// Beyond its memory: what files and the host's own structures may take.
    pub heap_bytes: u64,
}

/// What the guest has made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Linear memory that the module has to begin with, in bytes.
    pub least_memory: u64,
    /// Where in its writable memory it holds output back, and how much of that there is; 0 for nothing.
    pub held_at: u64,
    pub held_bytes: u64,
}

impl Loaded {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u64(self.least_memory).u64(self.held_at).u64(self.held_bytes);
        out.0
    }

    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(message);
        Ok(Self { least_memory: from.u64()?, held_at: from.u64()?, held_bytes: from.u64()? })
    }
}

impl Load {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(VERSION).u8(self.kind as u8).u64(self.module_at).u64(self.module_bytes);
        out.u64(self.root_at).u64(self.root_bytes).u64(self.memory_bytes).u64(self.heap_bytes);
        out.0
    }

    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(message);
        if from.u32()? != VERSION {
            return Err(Malformed);
        }
        let kind = match from.u8()? {
            0 => Kind::Interpreter,
            1 => Kind::Command,
            _ => return Err(Malformed),
        };
        Ok(Self {
            kind,
            module_at: from.u64()?,
            module_bytes: from.u64()?,
            root_at: from.u64()?,
            root_bytes: from.u64()?,
            memory_bytes: from.u64()?,
            heap_bytes: from.u64()?,
        })
    }
}

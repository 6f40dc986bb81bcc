//! A guest's descriptors.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::errno::Errno;
use crate::fs::Handle;
use crate::host::Output;

/// Descriptors open at once unless said otherwise.
pub(crate) const FDS_MAX: u32 = 1024;

#[derive(Clone, Debug)]
pub(crate) enum Descriptor {
    Stdin,
    Output(Output),
    File(OpenFile),
    Dir(OpenDir),
}

#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub handle: Handle,
    pub position: u64,
    pub read: bool,
    pub write: bool,
    pub append: bool,
    pub nonblock: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct OpenDir {
    pub handle: Handle,
    /// The name under which the guest got it at its start.
    pub preopen: Option<Cow<'static, str>>,
    pub read: bool,
}

/// The lowest free number is given out first.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Option<Descriptor>>,
    /// No free number lies below.
    lowest: usize,
    max: u32,
}

impl Table {
    pub fn new(max: u32) -> Self {
        Self { slots: Vec::with_capacity(8), lowest: 0, max }
    }

    pub fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slots.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    pub fn file(&self, fd: u32) -> Result<&OpenFile, Errno> {
        match self.get(fd)? {
            Descriptor::File(file) => Ok(file),
            _ => Err(Errno::Badf),
        }
    }

    pub fn file_mut(&mut self, fd: u32) -> Result<&mut OpenFile, Errno> {
        match self.get_mut(fd)? {
            Descriptor::File(file) => Ok(file),
            _ => Err(Errno::Badf),
        }
    }

    /// A file with a position; ESPIPE for the standard streams.
    pub fn seekable(&mut self, fd: u32) -> Result<&mut OpenFile, Errno> {
        match self.get_mut(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Stdin | Descriptor::Output(_) => Err(Errno::Spipe),
            Descriptor::Dir(_) => Err(Errno::Badf),
        }
    }

    pub fn dir(&self, fd: u32) -> Result<&OpenDir, Errno> {
        match self.get(fd)? {
            Descriptor::Dir(dir) => Ok(dir),
            _ => Err(Errno::Badf),
        }
    }

    /// Whether one more can be opened.
    pub fn room(&mut self) -> Result<usize, Errno> {
        while self.slots.get(self.lowest).is_some_and(Option::is_some) {
            self.lowest += 1;
        }
        if self.lowest >= self.max as usize { Err(Errno::Mfile) } else { Ok(self.lowest) }
    }

    pub fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let fd = self.room()?;
        match self.slots.get_mut(fd) {
            Some(slot) => *slot = Some(descriptor),
            None => self.slots.push(Some(descriptor)),
        }
        Ok(fd as u32)
    }

    pub fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let taken = self.slots.get_mut(fd as usize).and_then(Option::take).ok_or(Errno::Badf)?;
        self.lowest = self.lowest.min(fd as usize);
        Ok(taken)
    }

    /// Moves `from` over `to`; what stood at `to`, unless they are the same.
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(core::mem::replace(self.get_mut(to)?, moved).into())
    }
}

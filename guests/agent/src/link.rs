//! The connection to the host: standard input and output, neither of which may block.

use crate::wire::{self, Frame, Malformed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};

const READ_BYTES: usize = 256 << 10;
/// Past so many unsent bytes nothing more is read or answered.
pub const FULL_BYTES: usize = 4 << 20;

/// The host has gone, or talks nonsense.
pub struct Lost;

impl From<Malformed> for Lost {
    fn from(_: Malformed) -> Self {
        Lost
    }
}

pub struct Link {
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
    sent: usize,
    /// Longest wait for a host that takes nothing.
    pub patience: Timespec,
}

pub fn set_nonblocking(fd: impl AsFd) -> Result<(), Errno> {
    let flags = fcntl_getfl(&fd)?;
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK)
}

impl Link {
    pub fn new(patience: Timespec) -> Result<Self, Errno> {
        set_nonblocking(Self::input_fd())?;
        set_nonblocking(Self::output_fd())?;
        Ok(Self { input: Vec::new(), taken: 0, output: Vec::new(), sent: 0, patience })
    }

    pub fn input_fd() -> BorrowedFd<'static> {
        rustix::stdio::stdin()
    }

    pub fn output_fd() -> BorrowedFd<'static> {
        rustix::stdio::stdout()
    }

    /// Takes what the host has sent; the end of it is the end of everything.
    pub fn read(&mut self) -> Result<(), Lost> {
        self.input.drain(..std::mem::take(&mut self.taken));
        let before = self.input.len();
        self.input.resize(before + READ_BYTES, 0);
        let read = rustix::io::read(Self::input_fd(), &mut self.input[before..]);
        self.input.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Lost),
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(_) => Err(Lost),
        }
    }

    pub fn next(&mut self) -> Result<Option<Frame>, Lost> {
        let Some((frame, length)) = wire::first_frame(&self.input[self.taken..])? else { return Ok(None) };
        self.taken += length;
        Ok(Some(frame))
    }

    pub fn send(&mut self, kind: u8, id: u32, parts: &[&[u8]]) {
        wire::put_frame(&mut self.output, kind, id, parts);
    }

    pub fn pending(&self) -> usize {
        self.output.len() - self.sent
    }

    pub fn full(&self) -> bool {
        self.pending() > FULL_BYTES
    }

    /// Writes as much as goes without waiting.
    pub fn flush(&mut self) -> Result<(), Lost> {
        while self.sent < self.output.len() {
            match rustix::io::write(Self::output_fd(), &self.output[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Lost),
            }
        }
        if self.sent == self.output.len() || self.sent > FULL_BYTES {
            self.output.drain(..std::mem::take(&mut self.sent));
        }
        Ok(())
    }

    /// Waits until the host has taken most of a long answer.
    pub fn drain(&mut self) -> Result<(), Lost> {
        self.flush()?;
        while self.full() {
            let mut fds = [PollFd::from_borrowed_fd(Self::output_fd(), PollFlags::OUT)];
            if let Ok(0) = poll(&mut fds, Some(&self.patience)) {
                return Err(Lost);
            }
            self.flush()?;
        }
        Ok(())
    }
}

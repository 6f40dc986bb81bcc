//! Bytes on their way into a descriptor that takes them when it likes.

use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

#[derive(Default)]
pub struct Sink {
    waiting: VecDeque<u8>,
    ends: bool,
}

/// What became of the bytes.
pub struct Taken {
    pub bytes: usize,
    /// Nothing more is to be written: all is, or nobody reads.
    pub over: bool,
}

impl Sink {
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
    }

    pub fn end(&mut self) {
        self.ends = true;
    }

    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn is_over(&self) -> bool {
        self.ends && self.is_idle()
    }

    /// Writes as much as goes without waiting.
    pub fn write(&mut self, fd: &OwnedFd) -> Taken {
        let mut bytes = 0;
        while !self.waiting.is_empty() {
            match rustix::io::write(fd, self.waiting.as_slices().0) {
                Ok(written) => {
                    self.waiting.drain(..written);
                    bytes += written;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Taken { bytes, over: false },
                Err(_) => {
                    bytes += self.waiting.len();
                    self.waiting.clear();
                    return Taken { bytes, over: true };
                }
            }
        }
        Taken { bytes, over: self.ends }
    }
}

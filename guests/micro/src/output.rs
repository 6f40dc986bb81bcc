//! Where output goes.

use crate::calls::{self, Stop};
use crate::platform;
use mote_micro_wire::held;

/// A run's first output is held back, as long as the host allows it, and found by the host when the run has ended. So a run
/// that prints little does not leave the machine for it.
#[derive(Default)]
pub struct Outputs {
    region: Option<&'static mut [u8]>,
    /// What else may be held back. 0 from the first output on that is not.
    left: usize,
}

impl Outputs {
    pub fn begin(&mut self, hold_bytes: u32) {
        self.left = hold_bytes as usize;
        if let Some(region) = self.region() {
            held::clear(region);
        }
    }

    fn region(&mut self) -> Option<&mut [u8]> {
        if self.region.is_none() {
            self.region = platform::held().map(|(_, region)| region);
        }
        self.region.as_deref_mut()
    }

    pub fn write(&mut self, stream: u8, bytes: &[u8]) -> Result<(), Stop> {
        if self.hold(stream, bytes) {
            return Ok(());
        }
        self.left = 0;
        if let Some(region) = self.region() {
            for (stream, bytes) in held::pieces(region) {
                calls::write(stream.into(), bytes)?;
            }
            held::clear(region);
        }
        calls::write(stream.into(), bytes)
    }

    fn hold(&mut self, stream: u8, bytes: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len()).filter(|_| self.left > 0) else { return false };
        let held = self.region().is_some_and(|region| held::push(region, stream, bytes));
        if held {
            self.left = left;
        }
        held
    }
}

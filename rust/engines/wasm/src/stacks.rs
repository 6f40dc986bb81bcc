//! Stacks of their own for guests that are begun on the host's thread. A store keeps the one it has been given.

use std::sync::atomic::{AtomicU32, Ordering};

/// All of them. A guest that gets none runs on a worker's stack.
pub const MOST: u32 = 32;
/// Those of instances that stay with one session.
const MOST_KEPT: u32 = 16;

static TAKEN: AtomicU32 = AtomicU32::new(0);
static KEPT: AtomicU32 = AtomicU32::new(0);

/// The right to one stack.
pub struct Stack {
    kept: bool,
}

impl Stack {
    /// `kept`: for an instance that stays with one session.
    pub fn take(kept: bool) -> Option<Self> {
        let below = |most| move |taken| (taken < most).then_some(taken + 1);
        if kept {
            KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below(MOST_KEPT)).ok()?;
        }
        let stack = Self { kept };
        match TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below(MOST)) {
            Ok(_) => Some(stack),
            Err(_) => {
                stack.give_back_kept();
                std::mem::forget(stack);
                None
            }
        }
    }

    fn give_back_kept(&self) {
        if self.kept {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.give_back_kept();
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

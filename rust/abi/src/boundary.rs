//! The guarded place: foreign pointers become slices here, and panics become statuses.

use mote_core::hub::Hub;
use mote_core::wire::{MAX_MESSAGE_BYTES, Status};
use mote_engine_hyperlight::HyperlightEngine;
use mote_engine_wasm::WasmEngine;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// Called on threads of the library when the client's mailbox is no longer empty.
pub type Notify = unsafe extern "C" fn(client: u64);

fn hub() -> &'static Hub {
    static HUB: OnceLock<Hub> = OnceLock::new();
    HUB.get_or_init(|| Hub::new(vec![Arc::new(WasmEngine::new()), Arc::new(HyperlightEngine::new())]))
}

/// Runs a call; what goes wrong in it is a negative number for the caller.
pub fn guarded<N: From<i32>>(call: impl FnOnce(&'static Hub) -> Result<N, Status>) -> N {
    match catch_unwind(AssertUnwindSafe(|| call(hub()))) {
        Ok(Ok(value)) => value,
        Ok(Err(status)) => N::from(status as i32),
        Err(_) => N::from(Status::Panic as i32),
    }
}

pub fn status(result: Result<Status, Status>) -> Result<i32, Status> {
    result.map(|status| status as i32)
}

/// # Safety
/// `message` is null or names `length` bytes that nobody writes during `'a`.
pub unsafe fn message<'a>(message: *const u8, length: usize) -> Result<&'a [u8], Status> {
    if message.is_null() || length > MAX_MESSAGE_BYTES {
        return Err(Status::BadArgument);
    }
    // SAFETY: not null, no longer than isize::MAX, and readable by this function's own contract.
    Ok(unsafe { std::slice::from_raw_parts(message, length) })
}

/// # Safety
/// `buffer` is null or names `capacity` initialised bytes that nobody else touches during `'a`.
pub unsafe fn buffer<'a>(buffer: *mut u8, capacity: usize) -> Result<&'a mut [u8], Status> {
    if buffer.is_null() || capacity < size_of::<u32>() {
        return Err(Status::BadArgument);
    }
    // SAFETY: not null, and exclusive by this function's own contract. A C int gives the bytes taken, so no more of
    // the buffer is used than fits in one.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer, capacity.min(i32::MAX as usize)) })
}

/// Makes the host's callback a closure.
pub fn bell(notify: Notify) -> impl Fn(i64) + Send + Sync + 'static {
    // SAFETY: the host promised in mote_connect that notify may be called on any thread until mote_disconnect
    // returns, and the mailbox calls it no later.
    move |client| unsafe { notify(client as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_the_next_call_works() {
        let panicked: i32 = guarded(|_| panic!("as the test asks"));
        assert_eq!(panicked, Status::Panic as i32);
        let panicked: i64 = guarded(|_| panic!("as the test asks"));
        assert_eq!(panicked, Status::Panic as i64);
        assert_eq!(guarded(|_| Ok(7)), 7);
    }

    #[test]
    fn null_and_impossible_sizes_are_refused() {
        // SAFETY: nothing is read through pointers that are refused.
        unsafe {
            assert_eq!(message(std::ptr::null(), 1), Err(Status::BadArgument));
            assert_eq!(message([0].as_ptr(), MAX_MESSAGE_BYTES + 1), Err(Status::BadArgument));
            assert_eq!(buffer(std::ptr::null_mut(), 8).map(|_| ()), Err(Status::BadArgument));
            assert_eq!(buffer([0; 3].as_mut_ptr(), 3).map(|_| ()), Err(Status::BadArgument));
        }
    }
}

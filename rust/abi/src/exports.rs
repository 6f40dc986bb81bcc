//! The ten functions. Pointers are checked in `boundary`, work is done in `mote_core::hub`.

// What a caller has to promise is written once, in mote.h, for every language.
#![allow(clippy::missing_safety_doc)]

use crate::boundary::{Notify, bell, buffer, guarded, message, status};
use mote_core::mailbox::Taken;
use mote_core::wire::{ABI_VERSION, Status};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_abi_version() -> u32 {
    ABI_VERSION
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_connect(notify: Option<Notify>) -> i64 {
    guarded(|hub| hub.connect(bell(notify.ok_or(Status::BadArgument)?)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_disconnect(client: i64) -> i32 {
    guarded(|hub| status(hub.disconnect(client)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_probe(client: i64, request: u32) -> i32 {
    guarded(|hub| status(hub.probe(client, request)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_open(client: i64, request: u32, bytes: *const u8, length: usize) -> i64 {
    // SAFETY: the caller keeps the bytes as they are during the call.
    guarded(|hub| hub.open(client, request, unsafe { message(bytes, length) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_submit(session: i64, request: u32, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller keeps the bytes as they are during the call.
    guarded(|hub| status(hub.submit(session, request, unsafe { message(bytes, length) }?)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_take(client: i64, bytes: *mut u8, capacity: usize) -> i32 {
    guarded(|hub| {
        // SAFETY: the caller lends the buffer for the call.
        let buffer = unsafe { buffer(bytes, capacity) }?;
        match hub.take(client, buffer)? {
            Taken::Bytes(taken) => Ok(taken as i32),
            Taken::TooSmall(needed) => {
                buffer[..4].copy_from_slice(&(needed as u32).to_le_bytes());
                Err(Status::BufferTooSmall)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_reply(session: i64, call: u32, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller keeps the bytes as they are during the call.
    guarded(|hub| status(hub.reply(session, call, unsafe { message(bytes, length) }?)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_interrupt(session: i64, request: u32) -> i32 {
    guarded(|hub| status(hub.interrupt(session, request)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_close(session: i64, request: u32) -> i32 {
    guarded(|hub| status(hub.close(session, request)))
}

//! Numbers both sides of the C ABI agree on. `mote-abigen` writes them into `ffi/abi.ts` and `mote.h`.

/// Raised whenever a function, a number or a message changes its meaning.
pub const ABI_VERSION: u32 = 1;

/// What a function of the ABI says about the call itself; outcomes of requests come as events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Ok = 0,
    /// Accepted, and its events already wait in the mailbox: no notify is sent for them.
    EventsReady = 1,
    StaleHandle = -1,
    BadMessage = -2,
    BufferTooSmall = -3,
    Panic = -4,
    BadArgument = -5,
    Closed = -6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    Stdout = 1,
    Stderr = 2,
    Call = 3,
    Progress = 4,
    Done = 5,
}

/// Event: u32 body length, u32 request, u8 kind, 3 zero bytes; then the body. Little-endian.
pub const EVENT_HEADER_BYTES: usize = 12;
/// Largest JSON head of a message.
pub const MAX_HEAD_BYTES: usize = 1 << 20;
/// Largest message, head and payload.
pub const MAX_MESSAGE_BYTES: usize = 1 << 30;
/// Streamed output of one run that the host has not acknowledged; past it the guest waits.
pub const MAX_UNREAD_BYTES: usize = 1 << 20;

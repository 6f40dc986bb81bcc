//! Every function, number and name that crosses the C ABI.

use crate::signature::{Function, Signature};
use mote_core::error::Code;
use mote_core::wire::{self, EventKind, Status};

pub struct Entry {
    pub name: &'static str,
    pub parameters: &'static [&'static str],
    pub signature: Signature,
    /// Blocks until threads end, so a host with an event loop calls it on another thread.
    pub blocks: bool,
    pub doc: &'static [&'static str],
}

macro_rules! entries {
    ($($name:ident($($parameter:ident: $ty:ty),*) -> $result:ty, blocks $blocks:literal, [$($doc:literal),* $(,)?];)+) => {
        pub fn functions() -> Vec<Entry> {
            vec![$(Entry {
                name: stringify!($name),
                parameters: &[$(stringify!($parameter)),*],
                signature: (mote::$name as unsafe extern "C" fn($($ty),*) -> $result).signature(),
                blocks: $blocks,
                doc: &[$($doc),*],
            }),+]
        }
    };
}

entries! {
    mote_abi_version() -> u32, blocks false, [
        "Version of this table. A library of another version must not be used.",
    ];
    mote_connect(notify: Option<mote::Notify>) -> i64, blocks false, [
        "Opens a mailbox and gives its client handle (> 0), or a negative status. One per JavaScript isolate.",
    ];
    mote_disconnect(client: i64) -> i32, blocks true, [
        "Closes the client's sessions, ends their runs and waits until no thread works for it and no notify is",
        "running; after it returns notify is never called again. Blocks: never call it on the thread that serves",
        "notify.",
    ];
    mote_probe(client: i64, request: u32) -> i32, blocks false, [
        "Asks what each engine can do here. The answer is the request's done event.",
    ];
    mote_open(client: i64, request: u32, message: *const u8, length: usize) -> i64, blocks false, [
        "Opens a session and gives its handle (> 0) at once, or a negative status. Whether it could be opened comes",
        "as the done event of the request; it may be in the mailbox already, so call mote_take next.",
    ];
    mote_submit(session: i64, request: u32, message: *const u8, length: usize) -> i32, blocks false, [
        "Hands a request to a session. Runs wait for each other in order; file requests are answered at once. A run that",
        "is the client's only one begins on the calling thread when the one before it was short. It leaves the thread when it",
        "would block, and after 0.5 to 2 ms; no notify is called on this thread meanwhile.",
    ];
    mote_take(client: i64, buffer: *mut u8, capacity: usize) -> i32, blocks false, [
        "Copies whole events into the buffer and gives the bytes copied; 0 when none wait. When not even the first",
        "event fits: MOTE_BUFFER_TOO_SMALL, and the size it needs as uint32_t in the buffer's first 4 bytes.",
        "A call that leaves the mailbox empty arms the next notify; call again until it gives 0.",
    ];
    mote_reply(session: i64, call: u32, message: *const u8, length: usize) -> i32, blocks false, [
        "Answers a tool call of the session's guest. A reply to a call that has ended is dropped and MOTE_OK.",
    ];
    mote_interrupt(session: i64, request: u32) -> i32, blocks false, [
        "Ends a run, waiting or running, or the opening of the session, with the code ABORTED. A request that has ended",
        "is MOTE_OK.",
    ];
    mote_close(session: i64, request: u32) -> i32, blocks false, [
        "Ends the session's runs and frees what it holds; the handle is stale from here on. The done event of the",
        "request says that all is gone.",
    ];
}

/// Numbers are written from the Rust enum itself; the names only say how C and TypeScript spell them.
pub const STATUSES: &[(&str, &str, i32, &str)] = &[
    ("Ok", "OK", Status::Ok as i32, "Accepted."),
    (
        "EventsReady",
        "EVENTS_READY",
        Status::EventsReady as i32,
        "Accepted, and events of it are in the mailbox already: no notify is sent for them, so call mote_take.",
    ),
    ("StaleHandle", "STALE_HANDLE", Status::StaleHandle as i32, "The handle was closed or never given."),
    ("BadMessage", "BAD_MESSAGE", Status::BadMessage as i32, "The bytes are no message of this version."),
    ("BufferTooSmall", "BUFFER_TOO_SMALL", Status::BufferTooSmall as i32, "See mote_take."),
    ("Panic", "PANIC", Status::Panic as i32, "A defect of the library; the handle should be closed."),
    ("BadArgument", "BAD_ARGUMENT", Status::BadArgument as i32, "A null pointer or an impossible size."),
    ("Closed", "CLOSED", Status::Closed as i32, "The client or session is closing."),
];

pub const EVENT_KINDS: &[(&str, &str, u8, &str)] = &[
    ("Stdout", "STDOUT", EventKind::Stdout as u8, "Raw bytes."),
    ("Stderr", "STDERR", EventKind::Stderr as u8, "Raw bytes."),
    ("Call", "CALL", EventKind::Call as u8, "Message: head {call, name}, payload: the arguments as JSON."),
    ("Progress", "PROGRESS", EventKind::Progress as u8, "Message: head {stage, done, total, text}."),
    ("Done", "DONE", EventKind::Done as u8, "Message: head {ok} or {error, ok?}; the request's last event."),
];

pub const NUMBERS: &[(&str, &str, u64, &str)] = &[
    ("abiVersion", "ABI_VERSION", wire::ABI_VERSION as u64, "What mote_abi_version must give."),
    ("eventHeaderBytes", "EVENT_HEADER_BYTES", wire::EVENT_HEADER_BYTES as u64, "Bytes before each event's body."),
    ("maxHeadBytes", "MAX_HEAD_BYTES", wire::MAX_HEAD_BYTES as u64, "Largest JSON head of a message."),
    ("maxMessageBytes", "MAX_MESSAGE_BYTES", wire::MAX_MESSAGE_BYTES as u64, "Largest message, head and payload."),
    (
        "maxUnreadBytes",
        "MAX_UNREAD_BYTES",
        wire::MAX_UNREAD_BYTES as u64,
        "Streamed output of one run that may be unacknowledged (submit `ack`); past it the guest waits.",
    ),
];

pub fn error_codes() -> impl Iterator<Item = &'static str> {
    Code::ALL.iter().map(|code| code.as_str())
}

const _: () = {
    assert!(wire::ABI_VERSION == 1);
    assert!(wire::EVENT_HEADER_BYTES == 12);
    assert!(wire::MAX_MESSAGE_BYTES <= i32::MAX as usize);
    assert!(std::mem::size_of::<usize>() == 8);
};

//! What every engine shares: messages, limits, sessions and their queues, events, tool calls, threads.
#![forbid(unsafe_code)]

pub mod codec;
pub mod error;
pub mod wire;

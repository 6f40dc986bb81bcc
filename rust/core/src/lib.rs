//! What every engine shares: messages, limits, sessions and their queues, events, tool calls, threads.
#![forbid(unsafe_code)]

pub mod calls;
mod client;
pub mod codec;
mod done;
pub mod engine;
pub mod error;
pub mod guest_calls;
pub mod handles;
pub mod hub;
pub mod limits;
pub mod mailbox;
pub mod place;
pub mod request;
pub mod run;
mod session;
pub mod spin;
mod traces;
pub mod watch;
pub mod wire;
pub mod workers;

//! What every machine is built with, whether it loads an image or begins as a snapshot.

use super::reach::Reach;
use hyperlight_host::{HyperlightError, SandboxBuilder};
use mote_core::error::{Code, Error};
use mote_micro_wire::host;

/// Registers the functions that the guest calls.
pub fn functions(builder: SandboxBuilder, reach: &Reach) -> SandboxBuilder {
    let [write, pull, push, call, wait, take, sleep, clock, changed] = std::array::from_fn(|_| reach.clone());
    builder
        .host_print(|_: String| 0)
        .host_function(host::WRITE, move |stream: i32, bytes: Vec<u8>| Ok(write.write(stream, &bytes)))
        .host_function(host::PULL, move |what: i32, offset: u64, length: u64| Ok(pull.pull(what, offset, length)))
        .host_function(host::PUSH, move |bytes: Vec<u8>| Ok(push.push(&bytes)))
        .host_function(host::CALL, move |name_length: u64| Ok(call.call(name_length)))
        .host_function(host::WAIT, move |id: i32, timeout_ns: i64| Ok(wait.wait(id, timeout_ns)))
        .host_function(host::TAKE, move |id: i32| Ok(take.take(id)))
        .host_function(host::SLEEP, move |ns: u64| Ok(sleep.sleep(ns)))
        .host_function(host::CLOCK, move |which: i32| Ok(clock.clock(which)))
        .host_function(host::CHANGED, move |length: u64| Ok(changed.changed(length)))
}

/// The error for a machine that could not be made or loaded.
pub fn failed(error: &HyperlightError) -> Error {
    match error {
        HyperlightError::GuestBinVersionMismatch { guest_bin_version, host_version } => {
            let message = format!(
                "Cannot start a machine: the guest is built for Hyperlight {guest_bin_version}, this library has {host_version}"
            );
            Error::new(Code::GuestInvalid, message)
        }
        HyperlightError::GuestError(_, why) | HyperlightError::GuestAborted(_, why) => {
            Error::new(Code::GuestInvalid, format!("Cannot start a machine: the guest refused: {why}"))
        }
        error => Error::new(Code::BackendUnavailable, format!("Cannot start a machine: {error}")),
    }
}

//! How a call of a guest came to its end, and what that is called outside.

use super::desk::PIECE_BYTES;
use super::notes::invalid;
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_host::HyperlightError;
use mote_core::engine::Outcome;
use mote_core::error::{Code, Error, bytes};
use mote_core::run::{Run, Stream};
use mote_engine_wasm::shared::crashed;
use std::sync::Arc;

/// What Rust's standard library says when the heap is used up; it gives a guest no other way to tell.
const NO_HEAP: &str = "memory allocation of ";

/// A guest that does not come up.
pub fn not_loaded(error: &HyperlightError) -> Error {
    match error {
        HyperlightError::GuestBinVersionMismatch { guest_bin_version, host_version } => invalid(format!(
            "it was built with hyperlight-guest-bin {guest_bin_version} and the host runs hyperlight {host_version}; \
             they have to be the same. Build it with hyperlight-guest-bin ={host_version}"
        )),
        HyperlightError::NoHypervisorFound() => {
            Error::new(Code::BackendUnavailable, "Cannot open session: Hyperlight finds no hypervisor")
        }
        HyperlightError::GuestAborted(code, text) => {
            invalid(format!("it failed while it was loaded: {}", abort(*code, text)))
        }
        error => invalid(format!("it cannot be loaded: {error}")),
    }
}

/// The outcome of a run whose guest returned, or did not.
pub fn outcome(result: Result<i32, HyperlightError>, run: &Arc<Run>, code_bytes: usize, heap_bytes: u64) -> Outcome {
    // A guest that was ended may say what it likes.
    if run.stopped().is_some() {
        return Outcome::default();
    }
    let failed = |error: Error| Outcome { error: Some(error), ..Outcome::default() };
    match result {
        // As exit codes of processes are.
        Ok(code) => Outcome { exit_code: Some((code & 0xff) as u32), ..Outcome::default() },
        Err(HyperlightError::GuestError(ErrorCode::GuestFunctionNotFound, _)) => failed(not_exported(code_bytes)),
        Err(HyperlightError::GuestError(
            ErrorCode::GuestFunctionParameterTypeMismatch | ErrorCode::GuestFunctionIncorrecNoOfParameters,
            why,
        )) => failed(invalid(format!("its Run does not take the bytes of the code alone ({why})"))),
        Err(
            error
            @ (HyperlightError::ReturnValueConversionFailure(..) | HyperlightError::UnexpectedReturnValueType(..)),
        ) => failed(invalid(format!("its Run gives no int back ({error})"))),
        // An error that the guest returns is its code's own.
        Err(HyperlightError::GuestError(_, why)) => match run.write(Stream::Stderr, format!("{why}\n").as_bytes()) {
            Ok(()) => Outcome { exit_code: Some(1), ..Outcome::default() },
            Err(_) => Outcome::default(),
        },
        Err(HyperlightError::GuestAborted(code, text))
            if code == ErrorCode::MallocFailed as u8 || text.contains(NO_HEAP) =>
        {
            failed(memory_exceeded(heap_bytes))
        }
        Err(HyperlightError::GuestAborted(code, text)) => failed(crashed(&abort(code, &text))),
        Err(error) => failed(crashed(&error.to_string())),
    }
}

fn not_exported(code_bytes: usize) -> Error {
    if code_bytes <= PIECE_BYTES {
        return invalid("it exports no function Run(bytes) -> int. Use entry! of mote-guest");
    }
    let message = format!(
        "Cannot run code: it has {code_bytes} bytes, and this guest takes {PIECE_BYTES} at most as it exports no \
         function RunLong(ulong) -> int. Use entry! of mote-guest"
    );
    Error::new(Code::Unsupported, format!("{message}."))
}

fn memory_exceeded(heap_bytes: u64) -> Error {
    let message = format!(
        "Cannot run code: the guest's memory is used up, with a heap of {}. Build it with a larger one: entry!(run, KIB).",
        bytes(heap_bytes)
    );
    Error::limit(Code::MemoryExceeded, "memory", message)
}

/// What a guest said at its end, in one line without what a terminal would act on.
fn abort(code: u8, text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect();
    match line.trim() {
        "" => format!("it aborted with code {code}"),
        line => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_names_both_versions() {
        let (guest_bin_version, host_version) = ("0.17.0".to_owned(), "0.18.0".to_owned());
        let error = not_loaded(&HyperlightError::GuestBinVersionMismatch { guest_bin_version, host_version });
        assert_eq!(error.code, Code::GuestInvalid);
        assert!(error.message.contains("0.17.0") && error.message.contains("0.18.0"), "{error}");
    }

    #[test]
    fn last_words_are_one_printable_line() {
        assert_eq!(abort(15, "a\nb\x1b[31m"), "a b [31m");
        assert_eq!(abort(3, ""), "it aborted with code 3");
    }
}

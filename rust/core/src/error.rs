//! The closed list of what can go wrong, as it crosses the ABI.

use serde::Serialize;

macro_rules! codes {
    ($($name:ident = $text:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        pub enum Code { $(#[serde(rename = $text)] $name),+ }
        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name),+];
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $text),+ } }
        }
    };
}

codes! {
    InvalidOption = "INVALID_OPTION",
    Unsupported = "UNSUPPORTED",
    BackendUnavailable = "BACKEND_UNAVAILABLE",
    GuestNotFound = "GUEST_NOT_FOUND",
    GuestInvalid = "GUEST_INVALID",
    GuestBuildFailed = "GUEST_BUILD_FAILED",
    ToolchainMissing = "TOOLCHAIN_MISSING",
    PolicyViolation = "POLICY_VIOLATION",
    TimedOut = "TIMED_OUT",
    MemoryExceeded = "MEMORY_EXCEEDED",
    OutputExceeded = "OUTPUT_EXCEEDED",
    DiskExceeded = "DISK_EXCEEDED",
    GuestCrashed = "GUEST_CRASHED",
    InstallFailed = "INSTALL_FAILED",
    FileNotFound = "FILE_NOT_FOUND",
    PathRefused = "PATH_REFUSED",
    ToolFailed = "TOOL_FAILED",
    SessionClosed = "SESSION_CLOSED",
    Aborted = "ABORTED",
    Internal = "INTERNAL",
}

/// "Cannot <action>: <what stood in the way>".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// Which limit ended the work: `time`, `cpu`, `memory`, `output` or `workspace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<&'static str>,
    /// The tool call whose failure ended the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<u32>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), limit: None, call: None }
    }

    pub fn limit(code: Code, limit: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), limit: Some(limit), call: None }
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }
}

/// A number of bytes in the largest unit that divides it: `64 MiB`, or `1000 bytes`.
pub fn bytes(count: u64) -> String {
    match count {
        0 => "0 bytes".to_owned(),
        _ if count.is_multiple_of(1 << 30) => format!("{} GiB", count >> 30),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => format!("{count} bytes"),
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_are_written_in_the_largest_unit_that_divides_them() {
        let written = [0, 1000, 2048, 64 << 20, 3 << 30].map(bytes);
        assert_eq!(written, ["0 bytes", "1000 bytes", "2 KiB", "64 MiB", "3 GiB"]);
    }
}

//! Standard output and error.

use crate::host;

#[derive(Clone, Copy)]
#[repr(i32)]
pub enum Stream {
    Stdout = 1,
    Stderr = 2,
}

/// Hands bytes to the host. Each call leaves the VM once for every 16 KiB, so write whole lines.
pub fn write(stream: Stream, bytes: &[u8]) {
    for piece in bytes.chunks(crate::PIECE_BYTES) {
        let _ = host::write(stream as i32, piece.into());
    }
}

/// Prints to standard output, with a line feed.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {{
        let mut line = ::alloc::format!($($argument)*);
        line.push('\n');
        $crate::write($crate::Stream::Stdout, line.as_bytes());
    }};
}

/// Prints to standard error, with a line feed.
#[macro_export]
macro_rules! eprintln {
    ($($argument:tt)*) => {{
        let mut line = ::alloc::format!($($argument)*);
        line.push('\n');
        $crate::write($crate::Stream::Stderr, line.as_bytes());
    }};
}

//! What the host looks for in a guest: two functions, and a note that says what it needs.

use crate::host::{self, Source};
use alloc::vec::Vec;

/// An ELF note that is read before the guest is loaded.
#[repr(C, align(4))]
pub struct Note {
    name_bytes: u32,
    value_bytes: u32,
    kind: u32,
    name: [u8; 8],
    abi: u32,
    heap_kib: u32,
}

impl Note {
    pub const fn new(heap_kib: u32) -> Self {
        Self { name_bytes: 5, value_bytes: 8, kind: 1, name: *b"Mote\0\0\0\0", abi: crate::ABI, heap_kib }
    }
}

/// Code that is too long for one call, fetched in pieces.
pub fn code(bytes: u64) -> Vec<u8> {
    let mut code = Vec::with_capacity(bytes as usize);
    host::read_rest(Source::Code, &mut code);
    code
}

/// What a guest prepares that has nothing to prepare.
pub fn nothing() {}

/// Makes `fn run(code: &[u8]) -> i32` the function that a session's `run()` calls; what it returns is the exit code.
/// The second argument is the size of the heap in KiB, 1,024 if left out; the third is called once, before the snapshot
/// that every run begins from.
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        $crate::entry!($run, $crate::HEAP_KIB);
    };
    ($run:path, $heap_kib:expr) => {
        $crate::entry!($run, $heap_kib, $crate::nothing);
    };
    ($run:path, $heap_kib:expr, $prepare:path) => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".note.mote")]
            static NOTE: $crate::Note = $crate::Note::new($heap_kib);

            fn short(code: ::alloc::vec::Vec<u8>) -> i32 {
                $run(&code)
            }

            fn long(bytes: u64) -> i32 {
                $run(&$crate::code(bytes))
            }

            #[unsafe(no_mangle)]
            extern "C" fn hyperlight_main() {
                $crate::hyperlight_guest_bin::guest_function::register::register_fn("Run", short);
                $crate::hyperlight_guest_bin::guest_function::register::register_fn("RunLong", long);
                $prepare();
            }
        };
    };
}

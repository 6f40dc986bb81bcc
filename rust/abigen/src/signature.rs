//! Types of the ABI's functions, taken from the functions themselves so that the table cannot drift from them.

use mote::Notify;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub c: &'static str,
    pub deno: &'static str,
    pub koffi: &'static str,
}

pub trait Crosses {
    const KIND: Kind;
}

macro_rules! crosses {
    ($($rust:ty => $c:literal, $deno:literal, $koffi:literal;)+) => {
        $(impl Crosses for $rust {
            const KIND: Kind = Kind { c: $c, deno: $deno, koffi: $koffi };
        })+
    };
}

crosses! {
    u32 => "uint32_t", "u32", "uint32_t";
    i32 => "int32_t", "i32", "int32_t";
    u64 => "uint64_t", "u64", "uint64_t";
    i64 => "int64_t", "i64", "int64_t";
    usize => "size_t", "usize", "size_t";
    *const u8 => "const uint8_t *", "buffer", "const uint8_t *";
    *mut u8 => "uint8_t *", "buffer", "uint8_t *";
    Option<Notify> => "mote_notify_fn ", "function", "MoteNotify *";
}

pub struct Signature {
    pub parameters: Vec<Kind>,
    pub result: Kind,
}

pub trait Function {
    fn signature(self) -> Signature;
}

macro_rules! function {
    ($($p:ident)*) => {
        impl<R: Crosses, $($p: Crosses),*> Function for unsafe extern "C" fn($($p),*) -> R {
            fn signature(self) -> Signature {
                Signature { parameters: vec![$($p::KIND),*], result: R::KIND }
            }
        }
    };
}

function!();
function!(A);
function!(A B);
function!(A B C);
function!(A B C D);

//! Each function with the arguments and the result that WebAssembly gives it. `Ok` is the error number for the guest.

use crate::calls::{self, Cx};
use crate::host::{Halt, Host};
use crate::memory::{Failure, Outcome};

/// What a function's result becomes on the guest's side.
trait Answer: Sized {
    fn answer<S>(outcome: Outcome<(), S>) -> Result<Self, Halt<S>>;
}

impl Answer for i32 {
    fn answer<S>(outcome: Outcome<(), S>) -> Result<Self, Halt<S>> {
        match outcome {
            Ok(()) => Ok(0),
            Err(Failure::Errno(errno)) => Ok(errno.raw()),
            Err(Failure::Halt(halt)) => Err(halt),
        }
    }
}

impl Answer for () {
    fn answer<S>(outcome: Outcome<(), S>) -> Result<Self, Halt<S>> {
        i32::answer(outcome).map(|_| ())
    }
}

macro_rules! wrap {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
        #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
        pub fn $name<H: Host>(cx: &mut Cx<'_, H>, $($arg: $ty),*) -> Result<$result, Halt<H::Stop>> {
            Answer::answer(calls::$name(cx, $($arg as _),*))
        }
    )*};
}

crate::for_each_function!(wrap);
